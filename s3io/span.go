package s3io

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// maxResumes is how often a body is taken up again: that broke, in a row and without a byte of progress; that was too
	// slow, in all, for a byte now and then is no progress.
	maxResumes = 4
	// resumeDelay is the pause before the second resumption in a row; it doubles for each one after.
	resumeDelay = 50 * time.Millisecond
)

// span reads a range of one object over as many connections as it takes.
type span struct {
	client      *Client
	ctx         context.Context
	bucket, key string
	etag        string // as S3 gave it, quotes and all
	offset, end int64  // the bytes still to be read: [offset, end)
	body        io.ReadCloser
	failures    int // in a row, without a byte of progress
	slow        int // connections given up for being so
}

func (s *span) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if s.offset == s.end {
			s.close()
			return 0, io.EOF
		}
		if s.body == nil {
			if err := s.resume(); err != nil {
				return 0, wrap("read", s.bucket, s.key, err)
			}
		}
		n, err := s.body.Read(p[:min(int64(len(p)), s.end-s.offset)])
		s.offset += int64(n)
		if err != nil { // io.EOF too: bytes are missing, or the next call sees that none are
			s.close()
			s.failures++
		}
		if errors.Is(err, errSlow) {
			s.slow++
		}
		if n > 0 {
			s.failures = 0
			return n, nil
		}
		if s.failures > maxResumes || s.slow > maxResumes || s.ctx.Err() != nil {
			err = fmt.Errorf("broken off at byte %d of %d: %w", s.offset, s.end, errors.Join(s.ctx.Err(), noEOF(err)))
			return 0, wrap("read", s.bucket, s.key, err)
		}
	}
}

// resume asks for the rest of the range.
func (s *span) resume() error {
	if s.failures > 1 {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(resumeDelay << (s.failures - 2)):
		}
	}
	out, err := s.client.get(s.ctx, s.bucket, s.key, s.etag, fmt.Sprintf("bytes=%d-%d", s.offset, s.end-1))
	if err != nil {
		return err
	}
	start, _, err := parseContentRange(aws.ToString(out.ContentRange))
	if err == nil && start != s.offset {
		err = fmt.Errorf("asked for the range from byte %d, got %s", s.offset, *out.ContentRange)
	}
	if err != nil {
		return errors.Join(err, out.Body.Close())
	}
	s.body = out.Body
	return nil
}

func (s *span) close() {
	if s.body != nil {
		_ = s.body.Close() // what was read counts; how the rest ends does not
		s.body = nil
	}
}

// noEOF keeps the end of a connection from being taken for the end of the object.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseContentRange reads a Content-Range header, "bytes 0-499/1234".
func parseContentRange(header string) (start, size int64, err error) {
	var end int64
	if _, err := fmt.Sscanf(header, "bytes %d-%d/%d", &start, &end, &size); err != nil {
		return 0, 0, fmt.Errorf("the server's Content-Range %q is not of the form \"bytes 0-499/1234\"", header)
	}
	return start, size, nil
}
