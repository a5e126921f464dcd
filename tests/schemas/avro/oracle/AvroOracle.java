// What Java's Avro says of schemas: the judge that the cases of this folder were held to.
// Reads lines of tab-separated JSON texts, answers one line each.
//   text    SCHEMA            -> text, canonical form, fingerprint
//   compare READER  WRITER    -> type, path and message of each incompatibility
//   data    READER  WRITER  JSON (Avro's encoding, of the writer) -> binary in hexadecimal digits, JSON as the reader has it
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

public class AvroOracle {
  static String quoted(String s) {
    return s.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
  }

  static String text(String[] parts) {
    Schema.Parser parser = new Schema.Parser();
    Schema last = null;
    java.util.List<Schema> references = new java.util.ArrayList<>();
    for (String part : parts) {
      if (last != null) references.add(last);
      last = parser.parse(part);
    }
    return quoted(last.toString(references, false)) + "\t" + quoted(SchemaNormalization.toParsingForm(last)) + "\t"
        + Long.toHexString(SchemaNormalization.parsingFingerprint64(last));
  }

  static String compare(String[] parts) {
    Schema reader = new Schema.Parser().parse(parts[0]);
    Schema writer = new Schema.Parser().parse(parts[1]);
    StringBuilder out = new StringBuilder();
    SchemaCompatibility.SchemaPairCompatibility pair =
        SchemaCompatibility.checkReaderWriterCompatibility(reader, writer);
    for (SchemaCompatibility.Incompatibility i : pair.getResult().getIncompatibilities()) {
      if (out.length() > 0) out.append("\t");
      out.append(i.getType()).append("\t").append(i.getLocation()).append("\t").append(quoted(i.getMessage()));
    }
    return out.toString();
  }

  static String data(String[] parts) throws Exception {
    Schema reader = new Schema.Parser().parse(parts[0]);
    Schema writer = new Schema.Parser().parse(parts[1]);
    Object datum = new GenericDatumReader<>(writer).read(null, DecoderFactory.get().jsonDecoder(writer, parts[2]));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<>(writer).write(datum, encoder);
    encoder.flush();
    StringBuilder out = new StringBuilder();
    for (byte b : bytes.toByteArray()) out.append(String.format("%02x", b));
    String read;
    try {
      Object seen = new GenericDatumReader<>(writer, reader)
          .read(null, DecoderFactory.get().binaryDecoder(bytes.toByteArray(), null));
      ByteArrayOutputStream json = new ByteArrayOutputStream();
      JsonEncoder jsonEncoder = EncoderFactory.get().jsonEncoder(reader, json);
      new GenericDatumWriter<>(reader).write(seen, jsonEncoder);
      jsonEncoder.flush();
      read = json.toString(StandardCharsets.UTF_8);
    } catch (RuntimeException e) {
      read = "ERROR " + quoted(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
    return out + "\t" + read;
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String answer;
      try {
        String[] parts = line.split("\t");
        answer = switch (args[0]) {
          case "text" -> text(parts);
          case "data" -> data(parts);
          default -> compare(parts);
        };
      } catch (Throwable e) {
        answer = "ERROR " + quoted(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
      out.println(answer);
    }
    out.flush();
  }
}
