package ready;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/** What a page asks for: where to put a picture, and to be told when it is resized. */
@RestController
public class UploadController {

    private static final long MOST_BYTES = 50 << 20;
    private static final Map<String, String> EXTENSIONS = Map.of("image/jpeg", ".jpg", "image/png", ".png", "image/webp", ".webp",
        "image/gif", ".gif", "image/avif", ".avif", "image/tiff", ".tif");

    /** The file that a user has chosen. */
    record Wanted(String type, long bytes) {}

    /** Where the page puts it, with that type; what it listens to then; and where the renditions are. */
    record Upload(String url, String events, String base) {}

    private final S3Presigner presigner;
    private final PicturesInMemory pictures;
    private final String bucket;
    private final String prefix;
    private final String base;

    public UploadController(S3Presigner presigner, PicturesInMemory pictures, @Value("${pictures.bucket}") String bucket,
            @Value("${pictures.prefix:}") String prefix, @Value("${pictures.base}") String base) {
        this.presigner = presigner;
        this.pictures = pictures;
        this.bucket = bucket;
        this.prefix = prefix;
        this.base = base;
    }

    /** The URL is good for one file of that type and length, for five minutes. Who may upload is for the service to say. */
    @PostMapping("/uploads")
    Upload upload(@RequestBody Wanted wanted) {
        String extension = EXTENSIONS.get(String.valueOf(wanted.type()));
        if (extension == null) {
            throw new ResponseStatusException(HttpStatus.UNSUPPORTED_MEDIA_TYPE, wanted.type() + " is no type of picture that is resized here");
        }
        if (wanted.bytes() < 1 || wanted.bytes() > MOST_BYTES) {
            throw new ResponseStatusException(HttpStatus.CONTENT_TOO_LARGE, "a picture has 1 to " + MOST_BYTES + " bytes, this one " + wanted.bytes());
        }
        String key = prefix + UUID.randomUUID() + extension;
        var signed = presigner.presignPutObject(to -> to.signatureDuration(Duration.ofMinutes(5))
            .putObjectRequest(put -> put.bucket(bucket).key(key).contentType(wanted.type()).contentLength(wanted.bytes())));
        return new Upload(signed.url().toString(), "/pictures?key=" + URLEncoder.encode(key, StandardCharsets.UTF_8), base);
    }

    /** Sends what is told of a picture, once, as a server-sent event. Nobody can guess the key but who was given it. */
    @GetMapping(path = "/pictures", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    SseEmitter told(@RequestParam String key) throws IOException {
        return pictures.listen(bucket, key);
    }
}
