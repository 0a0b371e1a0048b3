package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/report/reporttest"
)

// checkReports holds all that the function has said against the schema of its reports: what it logged, and the records
// that it left.
func (s *stage) checkReports(t *testing.T) {
	for text := range strings.Lines(s.log.text()) {
		var line struct {
			Bucket, Status, TraceID string
			Result                  json.RawMessage
		}
		if json.Unmarshal([]byte(text), &line) != nil {
			continue // not a line of ours, such as a crash
		}
		if line.Result != nil {
			if err := reporttest.Check(line.Result); err != nil {
				t.Errorf("logged: %v", err)
			}
		}
		if (line.Bucket != "" || line.Status != "") && line.TraceID == "" {
			t.Errorf("a line of an object without a trace id: %s", text)
		}
	}

	ctx := context.Background()
	client, bucket, prefix := s3.NewFromConfig(s.aws, func(o *s3.Options) { o.UsePathStyle = true }), "photos-resized", ".s3resizer/"
	for pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, listed := range page.Contents {
			object, err := s.Open(ctx, bucket, *listed.Key)
			if err != nil {
				t.Fatal(err)
			}
			record, err := io.ReadAll(object)
			object.Close()
			if err == nil {
				err = reporttest.Check(record)
			}
			if err != nil {
				t.Errorf("%s: %v", *listed.Key, err)
			}
		}
	}
}
