#include "bench/nexmark_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

#include "event/text.h"

namespace millrace::bench {
namespace {

constexpr int64_t kPersons = 1, kAuctions = 3, kBids = 46;
constexpr int64_t kEpoch = kPersons + kAuctions + kBids;
constexpr int64_t kFirstId = 1000, kFirstCategory = 10, kCategories = 5;
constexpr int64_t kActivePersons = 1000, kAuctionsInFlight = 100, kLead = 10;
constexpr int64_t kHotEvery = 100;  // one of a hundred ids is a hot one
constexpr int64_t kHotAuctions = 2, kHotSellers = 4, kHotBidders = 4,
                  kHotChannels = 2;  // all but one of so many
constexpr int64_t kChannels = 10'000;
constexpr int64_t kPersonSize = 200, kAuctionSize = 500, kBidSize = 100;

constexpr std::array<std::string_view, 11> kFirstNames = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> kLastNames = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                                        "Walton", "Smith",  "Jones",   "Noris"};
constexpr std::array<std::string_view, 10> kCities = {"Phoenix",  "Los Angeles", "San Francisco", "Boise",
                                                      "Portland", "Bend",        "Redmond",       "Seattle",
                                                      "Kent",     "Cheyenne"};
constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array<std::string_view, 4> kHotChannelNames = {"Google", "Facebook", "Baidu", "Apple"};

template <typename... Values>
void add(std::string& out, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Values>(values)...);
}

void add_time(std::string& out, std::string_view name, int64_t ms) {
  add(out, "\"{}\":\"", name);
  append_timestamp(out, Timestamp{ms * 1000});
  out += "\",";
}

uint32_t reversed(uint32_t bits) {
  uint32_t out = 0;
  for (int i = 0; i < 32; ++i) out = (out << 1) | ((bits >> i) & 1);
  return out;
}

}  // namespace

void NexmarkEvents::append(std::string& out) {
  const int64_t place = event_ % kEpoch;
  add(out, "{{\"event_type\":{},", place < kPersons ? 0 : place < kPersons + kAuctions ? 1 : 2);
  if (place < kPersons) {
    person(out);
    out += ",\"auction\":null,\"bid\":null}";
  } else if (place < kPersons + kAuctions) {
    out += "\"person\":null,";
    auction(out);
    out += ",\"bid\":null}";
  } else {
    out += "\"person\":null,\"auction\":null,";
    bid(out);
    out += '}';
  }
  ++event_;
}

// The number of the newest person, or auction, when this event happens.
int64_t NexmarkEvents::last_person() const {
  return event_ / kEpoch;
}

int64_t NexmarkEvents::last_auction() const {
  const int64_t place = event_ % kEpoch;
  if (place < kPersons) return event_ / kEpoch * kAuctions - 1;
  return event_ / kEpoch * kAuctions + std::min(place - kPersons, kAuctions - 1);
}

// One of the active ones, or one that comes soon.
int64_t NexmarkEvents::any_person() {
  const int64_t count = last_person() + 1;
  const int64_t active = std::min(count, kActivePersons);
  return count - active + draw(active + kLead);
}

int64_t NexmarkEvents::any_auction() {
  const int64_t last = last_auction();
  const int64_t first = std::max<int64_t>(last - kAuctionsInFlight, 0);
  return first + draw(last - first + 1 + kLead);
}

int64_t NexmarkEvents::price() {
  return std::llround(std::pow(10.0, random_.unit() * 6) * 100);
}

// Three to `longest` letters, and now and then a blank.
void NexmarkEvents::word(std::string& out, int longest, char blank) {
  for (int64_t left = 3 + draw(longest - 3); left > 0; --left) {
    out += draw(13) == 0 ? blank : static_cast<char>('a' + draw(26));
  }
}

// What fills the object up to about its mean size.
void NexmarkEvents::filler(std::string& out, size_t from, int64_t mean_size) {
  const int64_t missing = mean_size - static_cast<int64_t>(out.size() - from);
  out += "\"extra\":\"";
  if (missing > 0) {
    const int64_t spread = (missing + 2) / 5;
    for (int64_t left = missing - spread + (spread == 0 ? 0 : draw(2 * spread)); left > 0; --left)
      out += static_cast<char>('a' + draw(26));
  }
  out += "\"}";
}

void NexmarkEvents::person(std::string& out) {
  out += "\"person\":{";
  const size_t from = out.size();
  add(out, "\"id\":{},\"name\":\"{} {}\",\"emailAddress\":\"", last_person() + kFirstId,
      kFirstNames[static_cast<size_t>(draw(kFirstNames.size()))],
      kLastNames[static_cast<size_t>(draw(kLastNames.size()))]);
  word(out, 7, '_');
  out += '@';
  word(out, 5, '_');
  add(out, ".com\",\"creditCard\":\"{:04} {:04} {:04} {:04}\",\"city\":\"{}\",\"state\":\"{}\",",
      draw(10'000), draw(10'000), draw(10'000), draw(10'000),
      kCities[static_cast<size_t>(draw(kCities.size()))], kStates[static_cast<size_t>(draw(kStates.size()))]);
  add_time(out, "dateTime", time_ms(event_));
  filler(out, from, kPersonSize);
}

void NexmarkEvents::auction(std::string& out) {
  out += "\"auction\":{";
  const size_t from = out.size();
  const int64_t seller = draw(kHotSellers) > 0 ? last_person() / kHotEvery * kHotEvery : any_person();
  const int64_t first_bid = price();
  const int64_t horizon = time_ms(event_ + kAuctionsInFlight * kEpoch / kAuctions) - time_ms(event_);
  add(out, "\"id\":{},\"itemName\":\"", last_auction() + kFirstId);
  word(out, 20, ' ');
  out += "\",\"description\":\"";
  word(out, 100, ' ');
  add(out, "\",\"initialBid\":{},\"reserve\":{},", first_bid, first_bid + price());
  add_time(out, "dateTime", time_ms(event_));
  add_time(out, "expires", time_ms(event_) + 1 + draw(std::max<int64_t>(2 * horizon, 1)));
  add(out, "\"seller\":{},\"category\":{},", seller + kFirstId, kFirstCategory + draw(kCategories));
  filler(out, from, kAuctionSize);
}

void NexmarkEvents::bid(std::string& out) {
  out += "\"bid\":{";
  const int64_t auction = draw(kHotAuctions) > 0 ? last_auction() / kHotEvery * kHotEvery : any_auction();
  const int64_t bidder = draw(kHotBidders) > 0 ? last_person() / kHotEvery * kHotEvery + 1 : any_person();
  add(out, "\"auction\":{},\"bidder\":{},\"price\":{},\"channel\":\"", auction + kFirstId, bidder + kFirstId,
      price());
  const bool hot = draw(kHotChannels) > 0;
  const auto channel = static_cast<uint32_t>(hot ? draw(kHotChannelNames.size()) : draw(kChannels));
  if (hot) {
    out += kHotChannelNames[channel];
  } else {
    add(out, "channel-{}", channel);
  }
  // A channel has one address: its letters follow from its number.
  Random own((hot ? uint64_t{1} << 32 : 0) + channel);
  std::swap(random_, own);
  out += "\",\"url\":\"https://www.nexmark.com/";
  for (int i = 0; i < 3; ++i) {
    word(out, 5, '_');
    out += '/';
  }
  out += "item.htm?query=1";
  if (!hot && draw(10) > 0)
    add(out, "&channel_id={}", std::abs(static_cast<int64_t>(static_cast<int32_t>(reversed(channel)))));
  std::swap(random_, own);
  out += "\",";
  add_time(out, "dateTime", time_ms(event_));
  filler(out, out.size(), kBidSize - 32);  // four numbers of eight bytes count
}

}  // namespace millrace::bench
