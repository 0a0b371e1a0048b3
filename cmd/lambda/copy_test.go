package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Through the function itself: what RESIZE_COPY names travels, where the picture was taken does not; without it, nothing does.
func TestWhatTravelsWithAnUpload(t *testing.T) {
	const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="51,30N">` +
		`<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Bjørn</rdf:li></rdf:Alt></dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>`
	segment := "http://ns.adobe.com/xap/1.0/\x00" + xmp
	data := photo(t, 500, 400)
	data = append(append(binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xe1"), uint16(2+len(segment))), segment...), data[2:]...)
	upload := s3io.Upload{
		Bucket: "photos", Key: "cat.jpg", ContentType: "image/jpeg", Data: data, Disposition: `attachment; filename="cat.jpg"`, Tags: "project=isle%20of%20man",
		Metadata: map[string]string{"by": "=?UTF-8?Q?Bj=C3=B8rn?=", "s3resizer-width": "theirs"},
	}
	for asked, all := range map[string]bool{"": false, "metadata,tags,content-disposition,copyright": true} {
		t.Run(asked, func(t *testing.T) {
			s := newStage(t, "RESIZE_COPY="+asked)
			if _, err := s.Put(t.Context(), upload); err != nil {
				t.Fatal(err)
			}
			answer := s.invoke(t, <-s.events)
			if len(answer.Results) != 1 || answer.Results[0].Status != report.Resized {
				t.Fatalf("%+v", answer)
			}
			for _, rendition := range answer.Results[0].Renditions {
				object, err := s.Open(t.Context(), rendition.Bucket, rendition.Key)
				if err != nil {
					t.Fatal(err)
				}
				defer object.Close()
				file, err := io.ReadAll(object)
				if err != nil {
					t.Fatal(err)
				}
				tags, err := s.Tags(t.Context(), rendition.Bucket, rendition.Key)
				if err != nil {
					t.Fatal(err)
				}
				want := s3io.Upload{}
				if all {
					want = upload
				}
				if object.Disposition != want.Disposition || tags != want.Tags || object.Metadata["by"] != want.Metadata["by"] || object.Metadata["s3resizer-width"] == "theirs" {
					t.Errorf("%s: %+v, tags %q", rendition.Key, object.Info, tags)
				}
				if bytes.Contains(file, []byte("© Bjørn")) != all || strings.Contains(string(file), "GPS") || strings.Contains(string(file), "51,30N") {
					t.Errorf("%s: the file begins with %q", rendition.Key, file[:200])
				}
			}
		})
	}
}
