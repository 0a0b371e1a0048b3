package ready;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import ready.PictureReadyController.Picture;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import tools.jackson.databind.json.JsonMapper;

/** Keeps pictures as long as this process runs, and tells the pages that are connected to it. A service has a database for that. */
@Component
public class PicturesInMemory implements PictureReadyController.Pictures {

    private static final Logger LOG = LoggerFactory.getLogger(PicturesInMemory.class);

    private record Known(Picture picture, Instant told) {}

    private final Map<String, Known> pictures = new HashMap<>();
    private final Map<String, List<SseEmitter>> waiting = new HashMap<>();
    private final S3Client s3;
    private final JsonMapper json;

    public PicturesInMemory(S3Client s3, JsonMapper json) {
        this.s3 = s3;
        this.json = json;
    }

    @Override
    public synchronized void put(Picture picture, Instant told) {
        String id = picture.source().bucket() + "/" + picture.source().key();
        Known known = pictures.get(id);
        if (known == null || told.isAfter(known.told)) {
            pictures.put(id, new Known(picture, told));
            Optional.ofNullable(waiting.remove(id)).ifPresent(pages -> pages.forEach(page -> send(page, picture)));
        }
    }

    /** Sends a picture to one page: what is known of it at once, else what will be told. A page whose connection ends asks again. */
    synchronized SseEmitter listen(String bucket, String key) throws IOException {
        String id = bucket + "/" + key;
        var page = new SseEmitter();
        if (pictures.containsKey(id)) {
            send(page, pictures.get(id).picture);
            return page;
        }
        waiting.computeIfAbsent(id, none -> new ArrayList<>()).add(page);
        page.onTimeout(page::complete);
        page.onCompletion(() -> forget(id, page));
        page.send(SseEmitter.event().comment("nothing yet")); // begins the answer: a browser does not ask again after an error
        return page;
    }

    private synchronized void forget(String id, SseEmitter page) {
        waiting.computeIfPresent(id, (same, pages) -> pages.remove(page) && pages.isEmpty() ? null : pages);
    }

    private static void send(SseEmitter page, Picture picture) {
        try {
            page.send(picture, MediaType.APPLICATION_JSON);
            page.complete();
        } catch (IOException | IllegalStateException e) {
            LOG.debug("a page was closed before it was told", e);
        }
    }

    @Override
    public void failed(String errorClass, String message) {
        LOG.warn("{}: {}", errorClass, message);
    }

    @Override
    public Optional<Picture> record(String bucket, String key) {
        try {
            return Optional.of(json.readValue(s3.getObjectAsBytes(get -> get.bucket(bucket).key(key)).asByteArray(), Picture.class));
        } catch (NoSuchKeyException e) {
            return Optional.empty();
        }
    }
}
