package report

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"

	"s3resizer/internal/naming"
	"s3resizer/s3io"
)

// maxRecord bounds what is read of a record, in bytes: some 300 for each rendition.
const maxRecord = 1 << 20

// Record is the object that a result is kept in. No two are alike, even of the same result: by their ETags they are told apart.
func (r Result) Record(destination string, label Label) (s3io.Upload, error) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(struct {
		Result
		Run string `json:"run"`
	}{r, rand.Text()}); err != nil {
		return s3io.Upload{}, err
	}
	return s3io.Upload{
		Bucket: destination, Key: naming.Record(r.Source.Key), ContentType: "application/json", Data: data.Bytes(), Metadata: label.Metadata(),
	}, nil
}

// Read returns the commit record of an object, and the object that it is itself; what is not a record of ours has no
// status. If there is none, the error is of the class [s3io.NotFound].
func Read(ctx context.Context, store interface {
	Open(ctx context.Context, bucket, key string) (*s3io.Object, error)
}, destination, key string) (Result, s3io.Info, error) {
	body, err := store.Open(ctx, destination, naming.Record(key))
	if err != nil {
		return Result{}, s3io.Info{}, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxRecord))
	if err != nil {
		return Result{}, s3io.Info{}, err
	}
	var record Result
	if json.Unmarshal(data, &record) != nil {
		return Result{}, body.Info, nil
	}
	return record, body.Info, nil
}
