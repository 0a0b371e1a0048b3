package devserver

import (
	"context"
	"crypto/rand"
	"io"
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/rclone/gofakes3"
)

// multipart is an upload in parts, which are files in tmp. It ends with the
// process: gofakes3 holds the upload ids in memory, too.
type multipart struct {
	bucket, key string
	meta        map[string]string

	mu    sync.Mutex
	ended bool // completed or aborted
	parts map[int]blob
}

func (s *store) CreateMultipartUpload(_ context.Context, bucketName, key string, meta map[string]string) (gofakes3.UploadID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := gofakes3.UploadID(rand.Text())
	s.uploads[id] = &multipart{bucket: bucketName, key: key, meta: meta, parts: map[int]blob{}}
	return id, nil
}

func (s *store) UploadPart(_ context.Context, _, _ string, id gofakes3.UploadID, number int, size int64, body io.Reader) (etag string, err error) {
	u, err := s.upload(id)
	if err != nil {
		return "", err
	}
	received, err := s.receive(body, size)
	if err != nil {
		return "", err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		s.discard(received.path)
		return "", gofakes3.ErrNoSuchUpload
	}
	if old, again := u.parts[number]; again {
		s.discard(old.path)
	}
	u.parts[number] = received
	return received.etag(), nil
}

func (s *store) CompleteMultipartUpload(ctx context.Context, _, _ string, id gofakes3.UploadID, asked *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	u, err := s.upload(id)
	if err != nil {
		return "", "", err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return "", "", gofakes3.ErrNoSuchUpload
	}
	parts, err := u.choose(asked.Parts)
	if err != nil {
		return "", "", err
	}
	whole, err := s.join(parts)
	if err != nil {
		return "", "", err
	}
	if err := s.commit(ctx, u.bucket, u.key, u.meta, whole); err != nil {
		return "", "", err
	}
	s.end(id, u)
	return "", whole.etag(), nil
}

func (s *store) AbortMultipartUpload(_ context.Context, _, _ string, id gofakes3.UploadID) error {
	u, err := s.upload(id)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s.end(id, u)
	return nil
}

func (s *store) upload(id gofakes3.UploadID) (*multipart, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.uploads[id]
	if u == nil {
		return nil, gofakes3.ErrNoSuchUpload
	}
	return u, nil
}

// end needs u.mu.
func (s *store) end(id gofakes3.UploadID, u *multipart) {
	for part := range maps.Values(u.parts) {
		s.discard(part.path)
	}
	u.ended, u.parts = true, nil

	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, id)
}

// choose returns the parts that the client asked to be joined.
func (u *multipart) choose(asked []gofakes3.CompletedPart) ([]blob, error) {
	if len(asked) == 0 {
		return nil, gofakes3.ErrorMessage(gofakes3.ErrMalformedXML, "You must specify at least one part")
	}
	chosen := make([]blob, len(asked))
	for i, want := range asked {
		if i > 0 && want.PartNumber <= asked[i-1].PartNumber {
			return nil, gofakes3.ErrInvalidPartOrder
		}
		part, there := u.parts[want.PartNumber]
		if !there || strings.Trim(want.ETag, `"`) != part.md5 {
			return nil, gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "Part %d was not uploaded, or its ETag is another.", want.PartNumber)
		}
		chosen[i] = part
	}
	return chosen, nil
}

// join copies parts into one blob, and leaves them in place for a client that
// has to complete the upload again.
func (s *store) join(parts []blob) (blob, error) {
	return s.write(func(w io.Writer) error {
		for _, part := range parts {
			if err := appendFile(w, part.path); err != nil {
				return err
			}
		}
		return nil
	})
}

func appendFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
