package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"s3resizer/internal/devserver"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
)

// printOutcome prints one line for each picture.
func printOutcome(answer report.Report, err error) {
	now := time.Now().Format(time.TimeOnly)
	var failure *report.Failure
	if errors.As(err, &failure) {
		fmt.Fprintln(os.Stderr, oneLine(fmt.Sprintf("%s failed %v", now, failure)))
		if n := resize.LeftBehind(); n > 0 {
			fmt.Fprintf(os.Stderr, "%s %d pictures are still being worked on, and take processor and memory until that ends by itself\n", now, n)
		}
	}
	for _, r := range answer.Results {
		line := fmt.Sprintf("%s %s %s", now, r.Status, short(r.Source.Key))
		if r.Status == report.Resized {
			var made []string
			for _, m := range r.Renditions {
				made = append(made, fmt.Sprintf("%s %d×%d %s", m.Size, m.Width, m.Height, bytesText(int64(m.Bytes))))
			}
			line += fmt.Sprintf(" %d×%d %s → %s, %.0f ms", r.Source.Width, r.Source.Height, bytesText(r.Source.Bytes), strings.Join(made, ", "), r.Timings.Total)
		}
		if event, reason, removed := strings.Cut(r.Reason, ": "); removed && strings.HasPrefix(event, "ObjectRemoved:") {
			line = fmt.Sprintf("%s removed %s: %s", now, short(r.Source.Key), reason)
		} else if r.Reason != "" {
			line += ": " + r.Reason
		}
		fmt.Println(oneLine(line))
	}
}

// printAside makes what prints a line for a request to the endpoint of which nothing comes, with what would be right.
func printAside(destination string) func(*http.Request, devserver.Refusal) {
	return func(r *http.Request, refused devserver.Refusal) {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		what, why := "stored", ""
		ours := r.Header.Get("X-Amz-Meta-S3resizer-Source") != "" || naming.Reserved(key) != "" || bucket == destination && r.Method == http.MethodDelete
		switch {
		case ours: // the handler sees to it
		case refused.Code != "":
			what, why = "refused "+r.Method, refusalText(refused, bucket, key)
		case key == "" || r.Method != http.MethodPut:
		case bucket == destination:
			why = "it stays as it is, for this is the bucket of the renditions; pictures go into s3://" + sourceBucket
		default:
			why = "it stays as it is, for only what is put into s3://" + sourceBucket + " is resized"
		}
		if why != "" {
			fmt.Println(oneLine(fmt.Sprintf("%s %s s3://%s/%s: %s", time.Now().Format(time.TimeOnly), what, bucket, short(key), why)))
		}
	}
}

// refusalText says what is wrong with a request and what would be right, or "".
func refusalText(refused devserver.Refusal, bucket, key string) string {
	switch refused.Code {
	case "NoSuchBucket":
		return fmt.Sprintf("there is no bucket %s; pictures go into s3://%s", bucket, sourceBucket)
	case "KeyTooLongError":
		return fmt.Sprintf("its key has %d bytes; S3 allows %d, and a rendition's key is longer than its picture's: shorten it", len(key), naming.MaxKey)
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		const unsigned = "Access Denied"
		switch {
		case refused.Code == "AccessDenied" && refused.Message != unsigned:
			return refused.Message
		case key == "": // a browser asks for more than it is told to
			return ""
		}
		return fmt.Sprintf("%s: sign it with AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s", refused.Code, accessKey, secretKey)
	case "InvalidRequest":
		return refused.Message
	default:
		return strings.TrimSuffix(refused.Code+": "+refused.Message, ": ")
	}
}

// short is a key with its middle left out if it is long.
func short(key string) string {
	const most = 80
	if letters := []rune(key); len(letters) > most {
		return string(letters[:most/2]) + "…" + string(letters[len(letters)-most/2:])
	}
	return key
}
