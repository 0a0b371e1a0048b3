package ready;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Starts the service, and asks of it over HTTP what EventBridge and a page do. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, properties = {
    "pictures.token=" + ApplicationTest.TOKEN, "pictures.bucket=photos", "pictures.prefix=holiday/", "pictures.base=https://d111.cloudfront.net",
    "spring.mvc.async.request-timeout=2s"})
class ApplicationTest {

    static final String TOKEN = "0123456789abcdef0123456789abcdef";

    private static HttpServer s3;
    private final HttpClient client = HttpClient.newHttpClient();
    private final JsonMapper json = new JsonMapper();

    @LocalServerPort
    private int port;

    /** An S3 that has the record of testdata, and nothing else. */
    @BeforeAll
    static void startS3() throws IOException {
        s3 = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        s3.createContext("/", exchange -> {
            boolean there = exchange.getRequestURI().getPath().equals("/photos-resized/.s3resizer/holiday/cat.jpg.json");
            byte[] body = there ? Files.readAllBytes(Path.of("../testdata/record.json")) : "<Error><Code>NoSuchKey</Code></Error>".getBytes();
            exchange.sendResponseHeaders(there ? 200 : 404, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        s3.start();
        System.setProperty("aws.endpointUrlS3", "http://127.0.0.1:" + s3.getAddress().getPort());
        System.setProperty("aws.region", "eu-central-1");
        System.setProperty("aws.accessKeyId", "test");
        System.setProperty("aws.secretAccessKey", "test");
    }

    @AfterAll
    static void stopS3() {
        s3.stop(0);
        Stream.of("endpointUrlS3", "region", "accessKeyId", "secretAccessKey").forEach(name -> System.clearProperty("aws." + name));
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).header("Content-Type", "application/json");
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(to(path).build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String path, String body) throws Exception {
        return client.send(to(path).header("X-S3resizer-Token", TOKEN).POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
    }

    private static String sample(String name, String key) throws IOException {
        return Files.readString(Path.of("../testdata", name + ".json")).replace("holiday/cat.jpg", key);
    }

    /** One page of those that listen is told; the other's connection ends in time as a whole one, after which its browser asks again. */
    @Test
    void aPageThatListensIsTold() throws Exception {
        var page = client.send(to("/pictures?key=holiday/early.jpg").build(), BodyHandlers.ofInputStream());
        var other = client.send(to("/pictures?key=holiday/another.jpg").build(), BodyHandlers.ofInputStream());
        assertEquals(204, post("/picture-ready", sample("resized", "holiday/early.jpg")).statusCode());
        assertEquals("200 text/event-stream", page.statusCode() + " " + page.headers().firstValue("Content-Type").orElseThrow().split(";")[0]);
        String[] told = new String(page.body().readAllBytes(), StandardCharsets.UTF_8).split("\n\n");
        assertEquals(2, told.length, String.join("|", told));
        assertEquals(":nothing yet", told[0]);
        JsonNode picture = json.readTree(told[1].substring("data:".length()));
        assertEquals("resized small-holiday/early.jpg", picture.path("status").asString() + " " + picture.at("/renditions/0/key").asString());
        assertEquals("200 :nothing yet\n\n", other.statusCode() + " " + new String(other.body().readAllBytes(), StandardCharsets.UTF_8));
    }

    @Test
    void whoComesLateIsToldAtOnce() throws Exception {
        assertEquals(204, post("/picture-ready", sample("rejected", "")).statusCode());
        String told = get("/pictures?key=holiday/broken.jpg").body();
        assertTrue(told.contains("\"class\":\"corrupt\",\"reason\":\"the jpeg is damaged or cut short\""), told);
    }

    /** Of a source that is gone there are no width and height. */
    @Test
    void whatIsGoneIsTold() throws Exception {
        String event = "{'detail-type':'Lambda Function Invocation Result - Success','detail':{'timestamp':'2026-11-23T09:12:34.218Z','responsePayload':"
            + "{'results':[{'version':1,'status':'gone','source':{'bucket':'photos','key':'holiday/gone.jpg'}}]}}}";
        assertEquals(204, post("/picture-ready", event.replace('\'', '"')).statusCode());
        assertTrue(get("/pictures?key=holiday/gone.jpg").body().contains("\"status\":\"gone\""));
    }

    @Test
    void aRecordIsReadFromS3() throws Exception {
        assertEquals(204, post("/picture-ready", sample("record-created", "holiday/none.jpg")).statusCode());
        assertEquals(204, post("/picture-ready", sample("record-created", "holiday/cat.jpg")).statusCode());
        assertTrue(get("/pictures?key=holiday/cat.jpg").body().contains("large-holiday/cat.jpg"));
    }

    @Test
    void anUploadIsForOneFile() throws Exception {
        JsonNode first = json.readTree(post("/uploads", "{\"type\":\"image/jpeg\",\"bytes\":4000}").body());
        JsonNode second = json.readTree(post("/uploads", "{\"type\":\"image/jpeg\",\"bytes\":4000}").body());
        URI url = URI.create(first.path("url").asString());
        assertTrue(url.getPath().matches("/photos/holiday/[0-9a-f-]{36}\\.jpg"), url.toString());
        assertTrue(url.getQuery().contains("X-Amz-SignedHeaders=content-length;content-type;host") && url.getQuery().contains("X-Amz-Expires=300"), url.toString());
        String key = url.getPath().substring("/photos/".length());
        assertEquals("/pictures?key=" + key.replace("/", "%2F") + " https://d111.cloudfront.net",
            first.path("events").asString() + " " + first.path("base").asString());
        assertTrue(!first.path("events").equals(second.path("events")));
    }

    @Test
    void whatIsNoPictureIsRefusedWithTheReason() throws Exception {
        for (String[] refused : new String[][] {
            {"{\"type\":\"text/html\",\"bytes\":10}", "415", "text/html is no type of picture"},
            {"{\"bytes\":10}", "415", "is no type of picture"},
            {"{\"type\":\"image/png\",\"bytes\":0}", "413", "this one 0"},
            {"{\"type\":\"image/png\",\"bytes\":52428801}", "413", "1 to 52428800 bytes"}}) {
            var answer = post("/uploads", refused[0]);
            assertEquals(refused[1], answer.statusCode() + "");
            assertTrue(json.readTree(answer.body()).path("detail").asString().contains(refused[2]), answer.body());
        }
    }

    @Test
    void thePageIsThere() throws Exception {
        assertTrue(get("/").body().contains("page.mjs"));
        for (String script : new String[] {"/page.mjs", "/picture.mjs"}) {
            var answer = get(script);
            assertEquals("200 text/javascript", answer.statusCode() + " " + answer.headers().firstValue("Content-Type").orElseThrow().split(";")[0]);
        }
    }

    /** An event that lacks what it has to have is no reason to try again for a day, but it must not be lost: 500 keeps it. */
    @Test
    void whatCanNotBeTakenComesAgain() throws Exception {
        assertEquals(500, post("/picture-ready", "{\"detail-type\":\"Object Created\"}").statusCode());
    }
}
