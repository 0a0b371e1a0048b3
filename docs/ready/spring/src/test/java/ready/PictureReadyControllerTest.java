package ready;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.post;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.test.web.servlet.setup.MockMvcBuilders;
import tools.jackson.databind.json.JsonMapper;

/** Drives the controller as Spring does: its dispatcher, its message converters, the events of testdata as their bytes. */
class PictureReadyControllerTest {

    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    /** Keeps pictures in memory, as the interface asks for it. */
    private static class Kept implements PictureReadyController.Pictures {
        final Map<String, PictureReadyController.Picture> pictures = new HashMap<>();
        final Map<String, Instant> times = new HashMap<>();
        final List<String> changes = new ArrayList<>();
        final List<String> failures = new ArrayList<>();
        boolean broken;
        boolean gone;

        public void put(PictureReadyController.Picture picture, Instant told) {
            if (broken) {
                throw new IllegalStateException("the database is away");
            }
            String id = picture.source().bucket() + "/" + picture.source().key();
            if (times.containsKey(id) && !told.isAfter(times.get(id))) {
                return;
            }
            times.put(id, told);
            if (!picture.equals(pictures.put(id, picture))) {
                changes.add(picture.status() + " " + id);
            }
        }

        public void failed(String errorClass, String message) {
            failures.add(errorClass + ": " + message);
        }

        public Optional<PictureReadyController.Picture> record(String bucket, String key) {
            if (gone) {
                return Optional.empty();
            }
            assertEquals("photos-resized/.s3resizer/holiday/cat.jpg.json", bucket + "/" + key);
            try {
                return Optional.of(new JsonMapper().readValue(sample("record"), PictureReadyController.Picture.class));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private final Kept kept = new Kept();
    private final MockMvc service = MockMvcBuilders.standaloneSetup(new PictureReadyController(kept, TOKEN)).build();

    private static String sample(String name) throws Exception {
        return Files.readString(Path.of("../testdata", name + ".json"));
    }

    private int told(String token, String body) throws Exception {
        var request = post("/picture-ready").contentType(MediaType.APPLICATION_JSON).content(body.getBytes(StandardCharsets.UTF_8));
        if (token != null) {
            request.header("X-S3resizer-Token", token);
        }
        return service.perform(request).andReturn().getResponse().getStatus();
    }

    private void told(String name) throws Exception {
        assertEquals(204, told(TOKEN, sample(name)), name);
    }

    @Test
    void aResizedPictureIsKeptWithWhatAPageNeeds() throws Exception {
        told("resized");
        var picture = kept.pictures.get("photos/holiday/cat.jpg");
        assertEquals("resized", picture.status());
        assertEquals("e3938bc9c283642e9d68fc882be583eb", picture.source().etag());
        assertTrue(picture.source().thumbHash().length() > 20);
        assertTrue(picture.source().color().matches("#[0-9a-f]{6}"));
        var large = picture.renditions().get(2);
        assertEquals("large large-holiday/cat.jpg image/jpeg 1440 1080 201546 2b5cbe157461b77143ca73ce130b9db6",
            String.join(" ", large.size(), large.key(), large.contentType(), large.width() + "", large.height() + "", large.bytes() + "", large.etag()));
        assertEquals(Instant.parse("2026-11-23T09:12:34.218Z"), kept.times.get("photos/holiday/cat.jpg"));
    }

    @Test
    void aRejectedPictureIsKeptWithItsReason() throws Exception {
        told("rejected");
        var picture = kept.pictures.get("photos/holiday/broken.jpg");
        assertEquals("rejected corrupt the jpeg is damaged or cut short", picture.status() + " " + picture.errorClass() + " " + picture.reason());
    }

    @Test
    void whatComesTwiceOrLateChangesNothing() throws Exception {
        told("resized");
        told("resized");
        assertEquals(List.of("resized photos/holiday/cat.jpg"), kept.changes);
        assertEquals(204, told(TOKEN, sample("resized").replace("\"status\": \"resized\"", "\"status\": \"gone\"").replace("T09:12:34.218Z", "T10:00:00.001Z")));
        told("resized");
        assertEquals(List.of("resized photos/holiday/cat.jpg", "gone photos/holiday/cat.jpg"), kept.changes);
    }

    @Test
    void whatBringsNothingNewIsPassedOver() throws Exception {
        told("superseded");
        assertEquals(204, told(TOKEN, "{\"detail-type\":\"Scheduled Event\",\"source\":\"aws.events\",\"detail\":{}}"));
        assertTrue(kept.changes.isEmpty() && kept.failures.isEmpty());
    }

    @Test
    void failuresAreNotedByTheirClass() throws Exception {
        told("access-denied");
        told("transient");
        told("timed-out");
        told("too-old");
        var classes = kept.failures.stream().map(failure -> failure.substring(0, failure.indexOf(':'))).toList();
        assertEquals(List.of("access-denied", "transient", "Sandbox.Timedout", "EventAgeExceeded"), classes);
        assertTrue(kept.failures.get(0).contains("s3://photos/holiday/cat.jpg"));
        assertTrue(kept.changes.isEmpty());
    }

    @Test
    void aRecordIsRead() throws Exception {
        told("record-created");
        assertEquals(List.of("resized photos/holiday/cat.jpg"), kept.changes);
        assertEquals(3, kept.pictures.get("photos/holiday/cat.jpg").renditions().size());
        assertTrue(Duration.between(kept.times.get("photos/holiday/cat.jpg"), Instant.now()).abs().toMinutes() < 5);
    }

    @Test
    void aRecordThatIsGoneTellsNothing() throws Exception {
        kept.gone = true;
        told("record-created");
        assertTrue(kept.changes.isEmpty());
    }

    @Test
    void whoHasNotTheTokenIsRefused() throws Exception {
        for (String token : new String[] {null, "", "0123456789abcdef0123456789abcdeF", TOKEN + "0"}) {
            assertEquals(401, told(token, sample("resized")));
        }
        service(""); // a service that was given none lets nobody in
        assertTrue(kept.changes.isEmpty());
    }

    private void service(String token) throws Exception {
        var response = MockMvcBuilders.standaloneSetup(new PictureReadyController(kept, token)).build()
            .perform(post("/picture-ready").contentType(MediaType.APPLICATION_JSON).content(sample("resized"))).andReturn().getResponse();
        assertEquals(401, response.getStatus());
    }

    @Test
    void whatIsNoEventIsRefused() throws Exception {
        assertEquals(400, told(TOKEN, "not JSON"));
    }

    @Test
    void whatCouldNotBeKeptComesAgain() {
        kept.broken = true; // a container answers an exception with 500, which EventBridge tries again
        assertThrows(Exception.class, () -> told("resized"));
    }
}
