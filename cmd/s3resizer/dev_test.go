package main_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// waitFor reads what the server prints up to a line that contains text.
func (s *server) waitFor(t *testing.T, text string) string {
	t.Helper()
	late := time.After(limit)
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				t.Fatalf("it ended without printing %q", text)
			}
			s.printed = append(s.printed, line)
			if strings.Contains(line, text) {
				return line
			}
		case <-late:
			t.Fatalf("it does not print %q", text)
		}
	}
}

func (s *server) drain() (lines []string) {
	for line := range s.lines {
		lines = append(lines, line)
	}
	s.printed = append(s.printed, lines...)
	return lines
}

// interrupt presses Ctrl-C and returns what the server printed after that. It must end well, in time.
func (s *server) interrupt(t *testing.T, within time.Duration) []string {
	t.Helper()
	pressed := time.Now()
	if err := s.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	lines := s.drain()
	err := s.process.Wait()
	s.ended = true
	if err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(pressed); took > within {
		t.Errorf("it took %v to end, want %v at most", took, within)
	}
	if s.stderr.Len() > 0 {
		t.Errorf("stderr: %s", s.stderr.String())
	}
	return lines
}

func (s *server) put(t *testing.T, key string, data []byte) {
	t.Helper()
	_, err := s.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("photos"), Key: &key, Body: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
}

// get returns an object, or nil if it can't be had.
func (s *server) get(t *testing.T, bucket, key string) []byte {
	t.Helper()
	object, err := s.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Errorf("%s/%s: %v", bucket, key, err)
		return nil
	}
	defer object.Body.Close()
	data, err := io.ReadAll(object.Body)
	if err != nil {
		t.Errorf("%s/%s: %v", bucket, key, err)
	}
	return data
}

// renditions lists the keys of the destination bucket, but for the commit records.
func (s *server) renditions(t *testing.T) []string {
	t.Helper()
	list, err := s.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("photos-resized")})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range list.Contents {
		if !strings.HasPrefix(*o.Key, ".s3resizer/") {
			keys = append(keys, *o.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (s *server) multipart(t *testing.T, key string, parts ...[]byte) {
	t.Helper()
	bucket := aws.String("photos")
	created, err := s.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	var done []types.CompletedPart
	for i, data := range parts {
		number := aws.Int32(int32(i + 1))
		part, err := s.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: created.UploadId, PartNumber: number, Body: bytes.NewReader(data)})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, types.CompletedPart{PartNumber: number, ETag: part.ETag})
	}
	_, err = s.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: &key, UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDevResizesWhatIsPut(t *testing.T) {
	s := serve(t, nil)
	t.Run("a PUT", func(t *testing.T) {
		s.put(t, "여행/a b+c.jpg", jpegOf(t, 1600, 1000))
		line := s.waitFor(t, "여행/a b+c.jpg")
		for _, want := range []string{"resized", "1600×1000", "small 368×230", "medium 720×450", "large 1440×900", " ms"} {
			if !strings.Contains(line, want) {
				t.Errorf("%q is not in the line %q", want, line)
			}
		}
		for size, want := range map[string][2]int{"small": {368, 230}, "medium": {720, 450}, "large": {1440, 900}} {
			checkPicture(t, size, s.get(t, "photos-resized", size+"-여행/a b+c.jpg"), "jpeg", want[0], want[1])
		}
	})
	t.Run("a multipart upload", func(t *testing.T) {
		data := pngOf(t, 2600, 2400)
		const first = 5 << 20 // the least that S3 takes for a part that is not the last
		s.multipart(t, "big.png", data[:first], data[first:])
		s.waitFor(t, "resized big.png 2600×2400")
		for size, want := range map[string][2]int{"small": {368, 340}, "medium": {720, 665}, "large": {1440, 1329}} {
			checkPicture(t, size, s.get(t, "photos-resized", size+"-big.png"), "png", want[0], want[1])
		}
	})
	t.Run("what nothing comes of", func(t *testing.T) {
		key := func(bucket, name string, length int) *s3.PutObjectInput {
			return &s3.PutObjectInput{Bucket: &bucket, Key: aws.String(name + strings.Repeat("y", length)), Body: strings.NewReader("x")}
		}
		for _, c := range []struct {
			in   *s3.PutObjectInput
			says string
		}{
			{key("elsewhere", "x", 0), "refused PUT s3://elsewhere/x: there is no bucket elsewhere; pictures go into s3://photos"},
			{key("photos", "x", 1030), "…yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy: its key has 1031 bytes; S3 allows 1024"},
			{key("photos", "x", 1019), "rejected xyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…"},
			{key("photos-resized", "mine.jpg", 0), "stored s3://photos-resized/mine.jpg: it stays as it is, for this is the bucket of the renditions"},
		} {
			_, _ = s.PutObject(t.Context(), c.in) // two are refused
			s.waitFor(t, c.says)
		}
		if _, err := s.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("big.png")}); err != nil {
			t.Fatal(err)
		}
		s.waitFor(t, "removed big.png: what was made of it stays, as RESIZE_DELETE is off")
		if res, err := http.Get(*s.Options().BaseEndpoint + "/photos/x?AWSAccessKeyId=a&Signature=b&Expires=1"); err == nil {
			res.Body.Close()
		}
		s.waitFor(t, "Config(signature_version='s3v4')")
	})
	t.Run("what is no picture", func(t *testing.T) {
		s.put(t, "notes.txt", []byte("These are notes.\n"))
		if line := s.waitFor(t, "notes.txt"); !strings.Contains(line, "rejected") || !strings.Contains(line, "JPEG") {
			t.Errorf("the line is %q", line)
		}
	})
	if got := s.renditions(t); len(got) != 7 { // and one that was put there
		t.Errorf("renditions of two pictures are %q", got)
	}
	rest := s.interrupt(t, 5*time.Second) // with the client's connections open
	if !slices.Equal(rest, []string{"stopping"}) {
		t.Errorf("after Ctrl-C it printed %q", rest)
	}
	greeted := slices.Index(s.printed, "")
	logged := slices.DeleteFunc(slices.Clone(s.printed[greeted+1:]), func(line string) bool { return !regexp.MustCompile(`^\d\d:\d\d:\d\d `).MatchString(line) })
	if len(logged) != 9 {
		t.Errorf("three uploads, six of which nothing comes, and the lines %q", logged)
	}
}

func TestDevRemovesWhatWasMadeOfWhatIsRemoved(t *testing.T) {
	s := serve(t, []string{"RESIZE_DELETE=on"})
	for _, key := range []string{"a.jpg", "b.jpg"} {
		s.put(t, key, jpegOf(t, 500, 400))
		s.waitFor(t, "resized "+key)
	}
	if _, err := s.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("a.jpg")}); err != nil {
		t.Fatal(err)
	}
	s.waitFor(t, "deleted a.jpg")
	if left := s.renditions(t); !slices.Equal(left, []string{"large-b.jpg", "medium-b.jpg", "small-b.jpg"}) {
		t.Errorf("what is left is %q", left)
	}
}

func TestDevEndsAtOnceWhenNothingIsToBeDone(t *testing.T) {
	serve(t, nil).interrupt(t, 5*time.Second)
}

// The renditions are looked at by a second server on the same folder, which also shows that the first one let go of it.
func TestDevFinishesThePictureThatItIsResizing(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	slow := []string{"RESIZE_FORMATS=png,webp,jpeg", "RESIZE_SIZES=small=368,medium=720,large=2200"}
	s := serve(t, slow, "--data", data)
	s.put(t, "slow.png", pngOf(t, 2600, 2400))
	rest := s.interrupt(t, 30*time.Second)
	if len(rest) != 2 || rest[0] != "stopping" || !strings.Contains(rest[1], "resized slow.png") {
		t.Fatalf("the picture was not being resized when Ctrl-C came, or not after: %q", rest)
	}

	s = serve(t, slow, "--data", data)
	if got := s.renditions(t); len(got) != 9 {
		t.Errorf("there are %q, want three sizes in three formats", got)
	}
	for size, want := range map[string][2]int{"small": {368, 340}, "medium": {720, 665}, "large": {2200, 2031}} {
		for extension, format := range map[string]string{"": "png", ".webp": "webp", ".jpg": "jpeg"} {
			key := size + "-slow.png" + extension
			checkPicture(t, key, s.get(t, "photos-resized", key), format, want[0], want[1])
		}
	}
	s.interrupt(t, 5*time.Second)
}

func TestDevKeepsItsDataAcrossRestarts(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	source := jpegOf(t, 400, 300)
	s := serve(t, nil, "--data", data)
	s.put(t, "a/cat.jpg", source)
	s.waitFor(t, "resized a/cat.jpg")
	renditions := map[string][]byte{}
	for _, key := range s.renditions(t) {
		renditions[key] = s.get(t, "photos-resized", key)
	}
	if len(renditions) != 3 {
		t.Fatalf("%d renditions", len(renditions))
	}
	s.interrupt(t, 5*time.Second)

	s = serve(t, nil, "--data", data)
	if !bytes.Equal(s.get(t, "photos", "a/cat.jpg"), source) {
		t.Error("the upload is another one after the restart")
	}
	for key, before := range renditions {
		if !bytes.Equal(s.get(t, "photos-resized", key), before) {
			t.Errorf("%s is another one after the restart", key)
		}
	}
	s.put(t, "new.jpg", source)
	s.waitFor(t, "resized new.jpg")
	if rest := s.interrupt(t, 5*time.Second); !slices.Equal(rest, []string{"stopping"}) {
		t.Errorf("after Ctrl-C it printed %q", rest)
	}
	if printed := strings.Join(s.printed, "\n"); strings.Contains(printed, "resized a/cat.jpg") {
		t.Error("the old upload was resized again")
	}
}

// Its event went with the process; that there is no record of the upload tells.
func TestDevTakesUpWhatAKillLeft(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	slow := []string{"RESIZE_FORMATS=avif", "RESIZE_SIZES=small=368,large=2200"}
	s := serve(t, slow, "--data", data)
	s.put(t, "done.png", pngOf(t, 40, 30))
	s.waitFor(t, "resized done.png")
	s.put(t, "slow.png", pngOf(t, 2600, 2400))
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if rest := s.drain(); len(rest) > 0 {
		t.Fatalf("the picture was not being resized when the process was killed: %q", rest)
	}
	_ = s.process.Wait() // killed
	s.ended = true

	s = serve(t, nil, "--data", data) // quicker
	line := s.waitFor(t, "slow.png")
	if !strings.Contains(line, "resized slow.png 2600×2400") {
		t.Errorf("after the restart: %s", line)
	}
	if rest := s.interrupt(t, 5*time.Second); !slices.Equal(rest, []string{"stopping"}) {
		t.Errorf("after Ctrl-C it printed %q", rest)
	}
	if printed := strings.Join(s.printed, "\n"); strings.Contains(printed, "resized done.png") {
		t.Error("what was done was done again")
	}
}

func TestDevShowsItsPage(t *testing.T) {
	s := serve(t, nil)
	page := regexp.MustCompile(`http://\S+/-/$`).FindString(s.printed[0])
	if page == "" {
		t.Fatalf("the first line is %q", s.printed[0])
	}
	res, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("gallery.js")) {
		t.Errorf("%s: %s, %v", res.Status, body, err)
	}
	s.interrupt(t, 5*time.Second)
}

func TestDevKeepsNothingWithoutAFolderForIt(t *testing.T) {
	s := serve(t, nil)
	s.put(t, "cat.jpg", jpegOf(t, 400, 300))
	s.waitFor(t, "resized cat.jpg")
	s.interrupt(t, 5*time.Second)
	wantFiles(t, s.process.Dir)
}

func TestDevSaysWhichAddressIsInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	e := s3resizer(t, t.TempDir(), nil, "dev", "--addr", address)
	e.want(t, 1, "--addr "+address, "in use by s3resizer.test (process ", " is free")
	if e.stdout != "" {
		t.Errorf("it greets all the same: %s", e.stdout)
	}
}
