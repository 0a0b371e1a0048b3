package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/report"
)

// An encoder of AVIF, which can't be stopped, is given more than the invocation has time for. The function answers in time,
// whatever the event's source, and ends; and the next process has nothing of it.
func TestWhatDoesNotStopHarmsNobodyElse(t *testing.T) {
	if os.Getenv("LAMBDA_FUNCTION") != "" {
		t.Skip("each process is to be waited for, and docker's client is none")
	}
	const limit = 3 * time.Second
	endlessly := []string{"RESIZE_SIZES=large=1440", "RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=8", "RESIZE_DEADLINE_MARGIN=1500ms", "AWS_LAMBDA_FUNCTION_NAME=s3resizer"}
	s := emptyStage(t, account)
	slow := s.upload(t, "photos", "slow.jpg", noise(t, 1440, 1080))
	quick := s.upload(t, "photos", "quick.jpg", photo(t, 40, 30))

	// one launches a process, and returns a function that waits for its end.
	one := func() (ended func(says ...string)) {
		p := s.launch(t, endlessly...)
		t.Cleanup(func() { p.end(syscall.SIGKILL) })
		return func(says ...string) {
			t.Helper()
			select {
			case <-p.read:
			case <-time.After(5 * time.Second):
				t.Fatalf("the process lives on:\n%s", s.log.text())
			}
			said := s.log.text()
			for _, line := range append(says, `"leftBehind":1`, `"Pictures":1`) {
				if !strings.Contains(said, line) {
					t.Errorf("no %s in\n%s", line, said)
				}
			}
			s.log = &lines{}
		}
	}

	ended := one()
	s.refuse(t, slow, limit, "deadline", "s3://photos/slow.jpg", "was left behind")
	ended(`"class":"deadline"`)
	if _, err := s.Head(t.Context(), "photos-resized", ".s3resizer-slow/slow.jpg"); err != nil {
		t.Fatal(err)
	}

	ended = one()
	if r := s.invoke(t, quick).Results[0]; r.Status != report.Resized {
		t.Errorf("%+v", r)
	}
	s.refuse(t, slow, limit, "deadline", "the process ends")
	ended(`"class":"too-slow"`)
	result, _, err := report.Read(t.Context(), s, "photos-resized", "slow.jpg")
	if err != nil || result.Status != report.Rejected || result.Class != report.ClassTooSlow {
		t.Errorf("%+v, %v", result, err)
	}

	ended = one()
	again := regexp.MustCompile(`"eventTime":"[^"]*"`).ReplaceAll(slow, []byte(`"eventTime":"2026-01-01T00:00:00Z"`)) // as Lambda does it
	if r := s.invoke(t, again).Results[0]; r.Status != report.Rejected || r.Class != report.ClassTooSlow {
		t.Errorf("%+v", r)
	}
	slow = s.upload(t, "photos", "slow.jpg", append(noise(t, 1440, 1080), 0))
	batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "quick", EventSource: "aws:sqs", Body: string(quick)}, {MessageId: "slow", EventSource: "aws:sqs", Body: string(slow)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.refuse(t, batch, limit, "deadline", "the process ends") // as a whole
	ended(`"class":"deadline"`)
}

// noise is a picture that encoders take their time for.
func noise(t *testing.T, width, height int) []byte {
	t.Helper()
	img, random := image.NewGray(image.Rect(0, 0, width, height)), rand.NewChaCha8([32]byte{})
	_, _ = random.Read(img.Pix)
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, nil); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}
