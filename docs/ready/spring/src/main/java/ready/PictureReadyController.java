package ready;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;

/** Receives what s3resizer tells a web service: what EventBridge's API destination posts to it. */
@RestController
public class PictureReadyController {

    /** What the service keeps of its users' pictures. What throws is tried again by EventBridge, for a day. */
    public interface Pictures {
        /**
         * Keeps a picture by its source's bucket and key, and tells whoever waits for it. Messages come at least once and in
         * any order: one that is no newer than what is known changes nothing.
         */
        void put(Picture picture, Instant told);

        /** Notes what somebody has to mend; the class is one of the README's, or Lambda's own. */
        void failed(String errorClass, String message);

        /** Reads the record in a bucket of renditions, unless it is gone. */
        Optional<Picture> record(String bucket, String key);
    }

    /** A result of the report, version 1: what a page needs of it. A source that is gone has no width and height. */
    public record Picture(String status, @JsonProperty("class") String errorClass, String reason, Source source, List<Rendition> renditions) {}
    public record Source(String bucket, String key, String etag, Integer width, Integer height, String thumbHash, String color) {}
    public record Rendition(String size, String bucket, String key, String contentType, String etag, int width, int height, long bytes) {}

    record Event(@JsonProperty("detail-type") String type, Detail detail) {}
    record Detail(String timestamp, Context requestContext, Response responsePayload, Bucket bucket, S3Object object) {}
    record Context(String condition) {}
    record Response(List<Picture> results, String errorType, String errorMessage) {}
    record Bucket(String name) {}
    record S3Object(String key) {}

    private final Pictures pictures;
    private final byte[] token;

    public PictureReadyController(Pictures pictures, @Value("${pictures.token}") String token) {
        this.pictures = pictures;
        this.token = token.getBytes(StandardCharsets.UTF_8);
    }

    @PostMapping("/picture-ready")
    public ResponseEntity<Void> told(@RequestHeader(name = "X-S3resizer-Token", defaultValue = "") String given, @RequestBody Event event) {
        if (token.length == 0 || !MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), token)) {
            return ResponseEntity.status(401).build();
        }
        Detail detail = event.detail();
        switch (event.type()) {
            case "Lambda Function Invocation Result - Success" ->
                detail.responsePayload().results().forEach(picture -> put(picture, Instant.parse(detail.timestamp())));
            case "Lambda Function Invocation Result - Failure" -> {
                Response response = detail.responsePayload();
                if (response == null) { // it was never run
                    pictures.failed(detail.requestContext().condition(), "");
                } else {
                    pictures.failed(response.errorType(), response.errorMessage());
                }
            }
            case "Object Created" -> { // of a record, which is read as it is now: so that is when it tells
                Instant now = Instant.now();
                pictures.record(detail.bucket().name(), detail.object().key()).ifPresent(picture -> put(picture, now));
            }
            default -> {} // nothing that was asked for
        }
        return ResponseEntity.noContent().build();
    }

    private void put(Picture picture, Instant told) {
        switch (picture.status()) {
            case "resized", "rejected", "gone", "deleted" -> pictures.put(picture, told);
            default -> {} // skipped, superseded: there is nothing new to show
        }
    }
}
