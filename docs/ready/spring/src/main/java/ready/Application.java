package ready;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/**
 * A page that takes a picture, has the browser put it into S3, and shows its renditions when s3resizer tells of them.
 * Region and credentials are the AWS SDK's matter; the settings are where they are used, each with its name.
 */
@SpringBootApplication
public class Application {

    public static void main(String[] args) {
        SpringApplication.run(Application.class, args);
    }

    @Bean
    S3Client s3() {
        return S3Client.create();
    }

    @Bean
    S3Presigner presigner() {
        return S3Presigner.create();
    }
}
