// TLS in front of the HTTP server: what goes through it, what is refused, and whom it costs.
#include <fcntl.h>

#include <algorithm>

#include "event-gateway/tls_testing.h"
#include "event-gateway/websocket_testing.h"

namespace millrace::gateway {
namespace {

using testing::accepted;
using testing::Client;
using testing::TlsClient;
using testing::TlsTest;
using Duration = HttpOptions::Duration;

constexpr const char* kEvent = R"({"id":"x"})";
constexpr const char* kEnd = "\"durability\":\"disk\"}\n";

TEST_F(TlsTest, RequestsGoThrough) {
  start_tls();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient c(loop, port, [&](SSL* ssl) { SSL_set_max_proto_version(ssl, version); });
    ASSERT_TRUE(c.shake());
    EXPECT_EQ(SSL_version(c.ssl()), version);
    EXPECT_TRUE(c.call(post(kEvent), kEnd).starts_with("HTTP/1.1 200 OK"));
    EXPECT_TRUE(c.call(post(kEvent) + post(kEvent), kEnd).starts_with("HTTP/1.1 200 OK"));
    EXPECT_TRUE(c.call(get("/livez"), "live\n").starts_with("HTTP/1.1 200 OK"));
  }
  EXPECT_EQ(metric("millrace_tls_handshakes_total"), 2);
  EXPECT_EQ(metric("millrace_tls_handshakes_failed_total"), 0);
}

TEST_F(TlsTest, TheDocumentOfStreamsSaysHowTheyAreReached) {
  start_tls();
  TlsClient c(loop, port);
  ASSERT_TRUE(c.shake());
  const std::string document = c.call(get("/asyncapi.json"), "}\n");
  EXPECT_NE(document.find(R"("protocol":"https")"), std::string::npos) << document;
  EXPECT_NE(document.find(R"("protocol":"wss")"), std::string::npos) << document;
}

TEST_F(TlsTest, LargeBodiesAndAnswersBothWays) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += "{\"id\":\"" + std::to_string(i) + "\"}\n";
  for (int i = 0; i < 200'000; ++i) streams.add("{\"n\":" + std::to_string(i) + "}");
  options.max_body_bytes = 8u << 20;
  start_tls();
  TlsClient c(loop, port);
  ASSERT_TRUE(c.shake());
  c.call(post(body), kEnd);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].body == body);
  c.send(get("/v1/streams/quakes/events?limit=200000", "Connection: close\r\n"));
  turn(100);  // more waits than the socket takes
  EXPECT_TRUE(c.ended());
  EXPECT_NE(c.got.find("{\"n\":199999}"), std::string::npos);
  EXPECT_EQ(std::count(c.got.begin(), c.got.end(), '}'), 200'000);
}

TEST_F(TlsTest, WebSocketOverTls) {
  start_tls();
  TlsClient c(loop, port);
  ASSERT_TRUE(c.shake());
  // The first command comes with the handshake: nothing of it may be lost on the way.
  c.send(get("/v1/ws",
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") +
         testing::ws_text(R"({"publish":"quakes","id":1,"events":[{"id":"x"}]})"));
  ASSERT_TRUE(c.receive_text("\"ack\":1")) << c.got;
  EXPECT_TRUE(c.got.starts_with("HTTP/1.1 101 "));
  c.got.clear();
  c.send(testing::ws_text(R"({"publish":"quakes","id":2,"events":[{"id":"y"}]})"));
  EXPECT_TRUE(c.receive_text("\"ack\":2")) << c.got;
}

TEST_F(TlsTest, SpeaksHttp11AndNothingElse) {
  start_tls();
  const auto offers = [](std::string_view list) {
    return [list](SSL* ssl) {
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    };
  };
  TlsClient both(loop, port, offers("\x02h2\x08http/1.1"));
  ASSERT_TRUE(both.shake());
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(both.ssl(), &chosen, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  TlsClient other(loop, port, offers("\x02h2"));
  EXPECT_FALSE(other.shake());
}

TEST_F(TlsTest, OldVersionsAndWeakCiphersAreRefused) {
  start_tls();
  TlsClient old(loop, port, [](SSL* ssl) {
    SSL_set_security_level(ssl, 0);
    SSL_set_min_proto_version(ssl, TLS1_VERSION);
    SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
  });
  EXPECT_FALSE(old.shake());
  TlsClient weak(loop, port, [](SSL* ssl) {
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_cipher_list(ssl, "AES128-SHA:ECDHE-ECDSA-AES128-SHA");
  });
  EXPECT_FALSE(weak.shake());
  EXPECT_EQ(metric("millrace_tls_handshakes_failed_total"), 2);
}

TEST_F(TlsTest, SessionsAreResumed) {
  start_tls();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_SESSION* session = nullptr;
    for (const bool again : {false, true}) {
      TlsClient c(loop, port, [&](SSL* ssl) {
        SSL_set_max_proto_version(ssl, version);
        if (session != nullptr) SSL_set_session(ssl, session);
      });
      ASSERT_TRUE(c.shake());
      c.call(get("/livez"), "live\n");
      EXPECT_EQ(SSL_session_reused(c.ssl()), again ? 1 : 0);
      if (!again) session = SSL_get1_session(c.ssl());
      c.say_end();  // else OpenSSL forgets the session
    }
    SSL_SESSION_free(session);
  }
}

TEST_F(TlsTest, RenegotiationIsRefused) {
  start_tls();
  TlsClient c(loop, port, [](SSL* ssl) { SSL_set_max_proto_version(ssl, TLS1_2_VERSION); });
  ASSERT_TRUE(c.shake());
  c.call(get("/livez"), "live\n");
  SSL_renegotiate(c.ssl());
  EXPECT_FALSE(c.shake());
  EXPECT_EQ(metric("millrace_tls_handshakes_total"), 1);
}

TEST_F(TlsTest, PlainHttpIsToldSo) {
  start_tls();
  Client c(loop, port);
  const auto answer = c.call(post(kEvent));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("MR-API-0036"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("https://"), std::string::npos);
  EXPECT_TRUE(c.receive_end());
  EXPECT_TRUE(seen.empty());
}

TEST_F(TlsTest, WhatIsNoTlsEndsAtOnce) {
  start_tls();
  std::string fragments;  // a ClientHello in as many records as it likes, none of which ends it
  for (int i = 0; i < 2'000; ++i)
    fragments += std::string("\x16\x03\x01\x00\x01", 5) + (i == 0 ? '\x01' : '\0');
  for (const std::string& bytes :
       {std::string("\0\0\0\0\0\0\0\0", 8), std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x'),
        std::string("\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", 10),
        std::string("\x15\x03\x01\x00\x02\x02\x28", 7),
        std::string("\x80\x2e\x01", 3) + std::string(60, '\1'), fragments}) {
    Client c(loop, port);
    c.send(bytes);
    c.half_close();
    EXPECT_TRUE(c.receive_end());
    EXPECT_EQ(c.got.find("HTTP"), std::string::npos);
  }
  TlsClient c(loop, port);
  EXPECT_TRUE(c.shake());  // others are served
}

TEST_F(TlsTest, AHugeClientHelloIsServedOrRefused) {
  start_tls();
  for (const size_t protocols : {100u, 1'000u, 8'000u}) {
    std::string list;
    for (size_t i = 0; i < protocols; ++i) list += "\x07proto-x";
    list += "\x08http/1.1";
    TlsClient c(loop, port, [&](SSL* ssl) {
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    });
    if (!c.shake()) continue;
    EXPECT_NE(c.call(get("/livez"), "live\n"), "");
  }
}

TEST_F(TlsTest, AHandshakeThatDoesNotEndIsLetGo) {
  options.handshake_timeout = Duration(100);
  start_tls();
  Client silent(loop, port), begun(loop, port);
  begun.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  EXPECT_TRUE(silent.receive_end(2'000));
  EXPECT_TRUE(begun.receive_end(2'000));
  EXPECT_EQ(metric("millrace_http_timeouts_total"), 2);
  EXPECT_EQ(metric("millrace_http_connections"), 0);
}

TEST_F(TlsTest, HalfHandshakesByTheHundredCostTheirOwnPlace) {
  options.handshake_timeout = Duration(500);
  start_tls();
  std::vector<std::unique_ptr<Client>> half;
  for (int i = 0; i < 400; ++i) {
    half.push_back(std::make_unique<Client>(loop, port));
    half.back()->send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  }
  TlsClient c(loop, port);
  ASSERT_TRUE(c.shake());
  EXPECT_NE(c.call(post(kEvent), kEnd), "");
  turn(900);
  EXPECT_EQ(metric("millrace_http_connections"), 1);
  EXPECT_NE(c.call(post(kEvent), kEnd), "");
}

TEST_F(TlsTest, ACutBodyIsNotTakenAsComplete) {
  start_tls();
  const std::string whole = post(std::string(kEvent) + "\n" + kEvent);
  for (const bool says_so : {false, true}) {
    TlsClient sized(loop, port), chunked(loop, port);
    ASSERT_TRUE(sized.shake() && chunked.shake());
    sized.send(whole.substr(0, whole.size() - 11));
    chunked.send(
        "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
        "Transfer-Encoding: chunked\r\n\r\nb\r\n" +
        std::string(kEvent) + "\n\r\n");
    turn(20);
    for (TlsClient* c : {&sized, &chunked}) {
      if (says_so) c->say_end();
      c->cut();
    }
    turn(50);
    EXPECT_TRUE(seen.empty());
    EXPECT_EQ(metric("millrace_http_connections"), 0);
  }
}

TEST_F(TlsTest, AnAnswerIsWaitedForAfterCloseNotify) {
  answer_at_once = nullptr;
  start_tls();
  TlsClient c(loop, port);
  ASSERT_TRUE(c.shake());
  c.send(post(kEvent));
  c.say_end();
  ASSERT_TRUE(wait_seen(1));
  turn(20);
  seen[0].done(accepted(1));
  EXPECT_TRUE(c.ended());
  EXPECT_TRUE(c.got.starts_with("HTTP/1.1 200 OK")) << c.got;
}

TEST_F(TlsTest, TheServerSaysItsEnd) {
  options.idle_timeout = Duration(50);
  start_tls();
  TlsClient idle(loop, port), last(loop, port);
  ASSERT_TRUE(idle.shake() && last.shake());
  last.send(get("/livez", "Connection: close\r\n"));
  EXPECT_TRUE(last.ended());
  EXPECT_TRUE(last.got.ends_with("live\n"));
  EXPECT_TRUE(idle.ended());
}

TEST_F(TlsTest, NewCertificatesAreTakenAndBadOnesRefused) {
  start_tls();
  TlsClient before(loop, port);
  ASSERT_TRUE(before.shake());
  const auto is_new = [&] {
    TlsClient c(loop, port);
    EXPECT_TRUE(c.shake());
    X509* shown = SSL_get1_peer_certificate(c.ssl());
    const bool named = X509_check_host(shown, "new.example.com", 0, 0, nullptr) == 1;
    X509_free(shown);
    return named;
  };
  EXPECT_FALSE(is_new());
  const auto fresh = net::make_self_signed("DNS:new.example.com", -60, 7'200);
  put(files.certificate, fresh.certificate);  // without its key
  server->reload_certificates();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("MR-API-0038"), std::string::npos) << said[0];
  EXPECT_FALSE(is_new());
  EXPECT_EQ(metric("millrace_tls_certificates_refused_total"), 1);
  put(files.key, fresh.key);
  turn(900);  // without being told
  EXPECT_TRUE(is_new());
  EXPECT_NE(before.call(post(kEvent), kEnd), "");  // what was open goes on
  const int64_t left = metric("millrace_tls_certificate_expires_seconds") - std::time(nullptr);
  EXPECT_GT(left, 7'000);
  EXPECT_LE(left, 7'200);
}

TEST_F(TlsTest, ClientsShowCertificatesWhereTheyMust) {
  const auto known = net::make_self_signed("DNS:client"), stranger = net::make_self_signed("DNS:stranger");
  files.client_ca = directory + "/clients.pem";
  put(files.client_ca, known.certificate);
  start_tls();
  const auto with = [&](const net::SelfSigned& pair) {
    put(directory + "/c.pem", pair.certificate + pair.key);
    return [this](SSL* ssl) {
      SSL_use_certificate_file(ssl, (directory + "/c.pem").c_str(), SSL_FILETYPE_PEM);
      SSL_use_PrivateKey_file(ssl, (directory + "/c.pem").c_str(), SSL_FILETYPE_PEM);
    };
  };
  TlsClient good(loop, port, with(known));
  EXPECT_TRUE(good.shake());
  EXPECT_NE(good.call(post(kEvent), kEnd), "");
  TlsClient bad(loop, port, with(stranger)), none(loop, port);
  for (TlsClient* c : {&bad, &none}) {
    if (c->shake()) c->send(post(kEvent));  // in TLS 1.3 the client is done first, and hears of it then
    EXPECT_FALSE(c->ended());
    EXPECT_EQ(c->got, "");
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(TlsTest, WhatIsSaidOfFilesThatCannotBeUsed) {
  const auto pair = net::make_self_signed("DNS:localhost");
  const std::string path = directory + "/x.pem";
  const auto fails = [&](const TlsFiles& with, std::string_view code, std::string_view text) {
    const auto loaded = TlsContext::load(with, std::time(nullptr));
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_EQ(loaded.error().id, code) << loaded.error().to_string();
    EXPECT_NE(loaded.error().message.find(text), std::string::npos) << loaded.error().to_string();
    EXPECT_NE(loaded.error().hint, "");
  };
  fails({path, files.key, ""}, "MR-API-0037", path + ": No such file");
  fails({files.certificate, path, ""}, "MR-API-0037", path + ": No such file");
  fails({directory, files.key, ""}, "MR-API-0037", directory + ": Is a directory");
  put(path, "");
  fails({path, files.key, ""}, "MR-API-0038", "x.pem holds no certificate");
  put(path, pair.key);
  fails({path, files.key, ""}, "MR-API-0038", "x.pem holds no certificate");
  fails({files.certificate, path, ""}, "MR-API-0038", "x.pem is not the one of the certificate in ");
  put(path, pair.certificate.substr(0, 300));
  fails({path, files.key, ""}, "MR-API-0038", "certificate 1 in " + path + " is damaged");
  put(path, pair.certificate);
  fails({files.certificate, path, ""}, "MR-API-0038", "x.pem holds no private key");
  put(path, std::string(2u << 20, 'x'));
  fails({path, files.key, ""}, "MR-API-0038", "larger than 1 MiB");
  fails({files.certificate, files.key, path}, "MR-API-0038", "larger than 1 MiB");
  for (const bool past : {true, false}) {
    write(net::make_self_signed("DNS:localhost", past ? -7'200 : 3'600, past ? -3'600 : 7'200));
    fails(files, "MR-API-0039", past ? "expired at 20" : "is valid from 20");
  }
}

TEST_F(TlsTest, BothListenersServeTheSame) {
  start();
  const uint16_t plain = port;
  auto certificates = TlsCertificates::open(files, [](const std::string&) {});
  ASSERT_TRUE(certificates.ok());
  auto listening = server->listen_tls("127.0.0.1", 0, std::move(*certificates));
  ASSERT_TRUE(listening.ok());
  Client c(loop, plain);
  EXPECT_EQ(c.call(post(kEvent)).status, 200);
  TlsClient t(loop, *listening);
  ASSERT_TRUE(t.shake());
  EXPECT_NE(t.call(post(kEvent), kEnd), "");
  server->stop();
  turn(50);
  EXPECT_TRUE(server->idle());
}

TEST_F(TlsTest, OpenToOthersOnlyWithTokensOrClientsCertificates) {
  server = std::make_unique<HttpServer>(loop, options, backend);
  auto certificates = TlsCertificates::open(files, [](const std::string&) {});
  ASSERT_TRUE(certificates.ok());
  const auto refused = server->listen_tls("0.0.0.0", 0, std::move(*certificates));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, "MR-API-0030");
}

}  // namespace
}  // namespace millrace::gateway
