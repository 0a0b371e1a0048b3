// Package sqstest is one SQS queue for tests: the part of SQS's JSON protocol that a consumer uses, with visibility
// timeouts that run out, receive counts, long polls, and faults on demand. It is no part of what ships.
package sqstest

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ARN is the queue's.
const ARN = "arn:aws:sqs:eu-west-1:000000000000:uploads"

// Queue is an SQS with one queue.
type Queue struct {
	Endpoint string // where it listens
	URL      string // the queue's, of which only the path counts

	mu         sync.Mutex
	missing    bool
	visibility time.Duration
	messages   []*Message
	changed    chan struct{} // closed and replaced when a message may have become visible
	faults     map[string]int
	refusals   map[string]bool
	calls      map[string]int
	largest    int
}

// Message is one message and what became of it.
type Message struct {
	ID, Body string
	Receives int
	Deleted  bool
	Hidden   bool // by a visibility timeout that has not run out

	number     string
	handle     string
	hiddenTill time.Time
	sent       time.Time
	first      time.Time
}

// Start serves an empty queue whose visibility timeout is given in whole seconds.
func Start(t testing.TB, visibility time.Duration) *Queue {
	t.Helper()
	q := &Queue{visibility: visibility, changed: make(chan struct{}), faults: map[string]int{}, refusals: map[string]bool{}, calls: map[string]int{}}
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // long polls
	q.Endpoint = server.URL
	q.URL = server.URL + "/000000000000/uploads"
	return q
}

// Send adds a message and returns its id.
func (q *Queue) Send(body string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	number := len(q.messages) + 1
	m := &Message{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", number), Body: body, number: strconv.Itoa(number), sent: time.Now()}
	q.messages = append(q.messages, m)
	q.announce()
	return m.ID
}

// Drop takes the queue away, Create brings it back.
func (q *Queue) Drop() { q.setMissing(true) }

// Create undoes Drop.
func (q *Queue) Create() { q.setMissing(false) }

func (q *Queue) setMissing(missing bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.missing = missing
	q.announce()
}

// Fail makes the next calls of an action answer with status 500.
func (q *Queue) Fail(action string, times int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults[action] = times
}

// Refuse makes batches of an action fail for the message with the given id.
func (q *Queue) Refuse(action, id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refusals[action+id] = true
}

// Messages is what there is, and was.
func (q *Queue) Messages() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]Message, len(q.messages))
	for i, m := range q.messages {
		all[i] = *m
		all[i].Hidden = !m.Deleted && time.Now().Before(m.hiddenTill)
	}
	return all
}

// Calls is how often an action was called.
func (q *Queue) Calls(action string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.calls[action]
}

// Largest is the largest number of messages that were asked for at once.
func (q *Queue) Largest() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.largest
}

func (q *Queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}

type entry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

type failure struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

func (q *Queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	var in struct {
		QueueURL            string `json:"QueueUrl"`
		AttributeNames      []string
		MaxNumberOfMessages int
		WaitTimeSeconds     int
		VisibilityTimeout   *int
		Entries             []entry
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !ok || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "no request of SQS's JSON protocol")
		return
	}
	q.mu.Lock()
	q.calls[action]++
	missing, fault := q.missing, q.faults[action] > 0
	if fault {
		q.faults[action]--
	}
	q.mu.Unlock()
	switch {
	case fault:
		refuse(w, http.StatusInternalServerError, "InternalFailure", "We encountered an internal error. Please try again.")
	case missing || !strings.HasSuffix(in.QueueURL, "/000000000000/uploads"):
		refuseMissing(w)
	case action == "GetQueueAttributes":
		answer(w, map[string]any{"Attributes": map[string]string{"QueueArn": ARN, "VisibilityTimeout": strconv.Itoa(int(q.visibility / time.Second))}})
	case action == "ReceiveMessage":
		visibility := q.visibility
		if in.VisibilityTimeout != nil {
			visibility = time.Duration(*in.VisibilityTimeout) * time.Second
		}
		q.mu.Lock()
		q.largest = max(q.largest, in.MaxNumberOfMessages)
		q.mu.Unlock()
		q.receive(w, r, in.MaxNumberOfMessages, time.Duration(in.WaitTimeSeconds)*time.Second, visibility)
	case action == "DeleteMessageBatch" || action == "ChangeMessageVisibilityBatch":
		q.change(w, action, in.Entries)
	default:
		refuse(w, http.StatusBadRequest, "InvalidAction", action)
	}
}

func (q *Queue) receive(w http.ResponseWriter, r *http.Request, number int, wait, visibility time.Duration) {
	end := time.After(wait)
	for {
		q.mu.Lock()
		found, next := []map[string]any{}, time.Now().Add(time.Hour)
		for _, m := range q.messages {
			switch now := time.Now(); {
			case m.Deleted || len(found) == number:
			case now.Before(m.hiddenTill):
				if m.hiddenTill.Before(next) {
					next = m.hiddenTill
				}
			default:
				found = append(found, q.hand(m, now, visibility))
			}
		}
		changed, missing := q.changed, q.missing
		q.mu.Unlock()
		if missing {
			refuseMissing(w)
			return
		}
		if len(found) > 0 {
			answer(w, map[string]any{"Messages": found})
			return
		}
		select {
		case <-changed:
		case <-time.After(time.Until(next)):
		case <-end:
			answer(w, map[string]any{})
			return
		case <-r.Context().Done():
			return
		}
	}
}

// hand makes m invisible and is what ReceiveMessage says of it. The caller holds q.mu.
func (q *Queue) hand(m *Message, now time.Time, visibility time.Duration) map[string]any {
	m.Receives++
	m.hiddenTill = now.Add(visibility)
	m.handle = fmt.Sprintf("handle-%s-%d", m.number, m.Receives)
	if m.Receives == 1 {
		m.first = now
	}
	sum := md5.Sum([]byte(m.Body))
	return map[string]any{
		"MessageId": m.ID, "ReceiptHandle": m.handle, "Body": m.Body, "MD5OfBody": hex.EncodeToString(sum[:]),
		"Attributes": map[string]string{
			"SenderId": "AIDAEXAMPLE", "SentTimestamp": strconv.FormatInt(m.sent.UnixMilli(), 10),
			"ApproximateReceiveCount": strconv.Itoa(m.Receives), "ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
		},
	}
}

func (q *Queue) change(w http.ResponseWriter, action string, entries []entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	successful, failed := []map[string]string{}, []failure{}
	for _, e := range entries {
		at := slices.IndexFunc(q.messages, func(m *Message) bool { return m.handle == e.ReceiptHandle && m.handle != "" })
		switch {
		case at < 0:
			failed = append(failed, failure{e.ID, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.", true})
			continue
		case q.refusals[action+q.messages[at].ID]:
			failed = append(failed, failure{e.ID, "InternalError", "Try again.", false})
			continue
		case action == "DeleteMessageBatch":
			q.messages[at].Deleted = true
		default:
			q.messages[at].hiddenTill = time.Now().Add(time.Duration(*e.VisibilityTimeout) * time.Second)
			q.announce()
		}
		successful = append(successful, map[string]string{"Id": e.ID})
	}
	answer(w, map[string]any{"Successful": successful, "Failed": failed})
}

func answer(w http.ResponseWriter, body map[string]any) { write(w, http.StatusOK, body) }

func refuseMissing(w http.ResponseWriter) {
	w.Header().Set("X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
	refuse(w, http.StatusBadRequest, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	write(w, status, map[string]any{"__type": kind, "message": message})
}

func write(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Requestid", "test")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone is no matter
}
