package handler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	"s3resizer/internal/config"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// carried is what each rendition gets of its upload beside the picture, as RESIZE_COPY says.
type carried struct {
	Metadata    map[string]string
	Disposition string
	Tags        string
}

// carriedOf is what there is to carry but for tags, which the answer to a GET does not have.
func carriedOf(upload s3io.Info, asked config.Copy) (c carried) {
	if asked.Metadata {
		c.Metadata = report.Foreign(upload.Metadata)
	}
	if asked.Disposition {
		c.Disposition = upload.Disposition
	}
	return c
}

// digest is the word in a label by which renditions of the same bytes are told apart; "" where there is nothing to carry. In
// that, it is enough to look at the labels: the tags of a rendition would take a request and a right more.
func (c carried) digest() string {
	if len(c.Metadata) == 0 && c.Disposition == "" && c.Tags == "" {
		return ""
	}
	text, _ := json.Marshal(c) // of texts alone, the names in order
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:digestLength/2])
}

const digestLength = 12

// lookAtTags asks for the source's tags, while its header is read.
//
// S3 tells how many there are only those that may read them. So that none are counted means that there are none only once
// some could have been read; until then they are asked for, and the failure says which right is missing.
func (r *run) lookAtTags(ctx context.Context) {
	bucket, counted := r.info.Bucket, r.info.Tags
	if _, mayRead := r.h.tagged.Load(bucket); !r.settings.Copy.Tags || counted == 0 && mayRead {
		return
	}
	r.tags.Go(func() (err error) {
		r.carried.Tags, err = r.h.store.Tags(ctx, bucket, r.object.key)
		if err == nil && (counted > 0) == (r.carried.Tags != "") { // or else it is an S3 that does not count
			r.h.tagged.Store(bucket, true)
		}
		return err
	})
}

// carries reports whether the source, as it is now, has still what was carried. The tags of renditions are compared with its own
// if there are any on either side.
func (r *run) carries(ctx context.Context, result report.Result, now s3io.Info) (bool, error) {
	asked := r.tags.Wait() == nil // or else it is rejected, and needed none
	same := carriedOf(now, r.settings.Copy)
	same.Tags = r.carried.Tags
	if asked && result.Status == report.Resized && r.settings.Copy.Tags && (same.Tags != "" || now.Tags > 0) {
		var err error
		if same.Tags, err = r.h.store.Tags(ctx, now.Bucket, now.Key); err != nil {
			return false, err
		}
	}
	return same.digest() == r.carried.digest(), nil
}

// checkMetadata rejects a source whose metadata leave no room for ours.
func (r *run) checkMetadata() error {
	if len(r.carried.Metadata) == 0 {
		return nil
	}
	label := r.label()
	label.Copied, label.Width, label.Height = strings.Repeat("0", digestLength), 99999, 99999
	for _, size := range r.settings.Sizes {
		if len(size.Name) > len(label.Size) {
			label.Size = size.Name
		}
	}
	ours := bytesOf(label.Metadata())
	if theirs := bytesOf(r.carried.Metadata); ours+theirs > s3io.MaxMetadata {
		return &resize.Rejection{Class: resize.Class(report.ClassMetadata), Reason: fmt.Sprintf(
			"its metadata have %d bytes, and what renditions say of themselves %d; S3 allows %d together: upload it with less, or take metadata out of RESIZE_COPY",
			theirs, ours, s3io.MaxMetadata)}
	}
	return nil
}

// bytesOf is how many bytes S3 counts of user metadata. What is not ASCII comes encoded (RFC 2047), and is stored, and counted,
// as UTF-8.
func bytesOf(metadata map[string]string) (all int) {
	for name, value := range metadata {
		if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
			value = decoded
		}
		all += len(name) + len(value)
	}
	return all
}
