package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"s3resizer/internal/queue"
	"s3resizer/internal/runtimeapi"
)

// door is where webhooks and people come in.
type door struct {
	function *function
	spool    *queue.Spool
	bucket   string // whose events the webhook takes; "" for all
	log      *slog.Logger
}

// newDoor returns the handler. Once the function's Runtime API is shut down, what must be answered with a result gets
// 503; what goes into the spool is still accepted, and done after the next start.
func newDoor(f *function, spool *queue.Spool, bucket string, log *slog.Logger) http.Handler {
	d := &door{f, spool, bucket, log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook", d.webhook)
	mux.HandleFunc("POST /invoke", d.invoke)
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", d.invokeLikeAWS)
	mux.HandleFunc("GET /health", d.health)
	return mux
}

// webhook accepts S3 notifications. Its senders do not repeat themselves: 200 is a promise.
func (d *door) webhook(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r, runtimeapi.MaxRequestBytes)
	if !ok {
		return
	}
	events, err := queue.WebhookEvents(body, d.bucket)
	if err != nil {
		d.log.Warn("a webhook's body is no S3 event", "from", r.RemoteAddr, "error", err.Error())
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", err.Error())
		return
	}
	ids := make([]string, 0, len(events))
	for _, event := range events {
		id, ok := d.accept(w, "webhook", event)
		if !ok {
			return
		}
		ids = append(ids, id)
	}
	writeJSON(w, http.StatusOK, map[string]any{"accepted": ids})
}

// accept adds an event to the spool. If it can't, it has answered.
func (d *door) accept(w http.ResponseWriter, source string, event []byte) (id string, ok bool) {
	id, err := d.spool.Add(source, event)
	if err != nil {
		d.log.Error("an event could not be accepted", "source", source, "error", err.Error())
		refuse(w, http.StatusInternalServerError, "ServiceException", err.Error())
		return "", false
	}
	return id, true
}

// invoke is for curl: what happened is in the status.
func (d *door) invoke(w http.ResponseWriter, r *http.Request) {
	payload, ok := read(w, r, runtimeapi.MaxRequestBytes)
	if !ok {
		return
	}
	if !json.Valid(payload) {
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", `want JSON, such as {"bucket":"photos","key":"cat.jpg"}`)
		return
	}
	status := func(failure error) int {
		if timeout := (*runtimeapi.TimeoutError)(nil); errors.As(failure, &timeout) {
			return http.StatusGatewayTimeout
		}
		return http.StatusBadGateway
	}
	d.answer(w, r, payload, status)
}

// invokeLikeAWS is Lambda's own Invoke, for any function name:
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (d *door) invokeLikeAWS(w http.ResponseWriter, r *http.Request) {
	kind, most := r.Header.Get("X-Amz-Invocation-Type"), runtimeapi.MaxRequestBytes
	if kind == "Event" {
		most = queue.MaxEventBytes
	}
	payload, ok := read(w, r, most)
	switch {
	case !ok:
		return
	case len(payload) == 0:
		payload = []byte("{}")
	case !json.Valid(payload):
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json")
		return
	}
	switch kind {
	case "", "RequestResponse":
		w.Header().Set("X-Amz-Executed-Version", "$LATEST")
		d.answer(w, r, payload, func(error) int { return http.StatusOK })
	case "Event":
		if id, ok := d.accept(w, "invoke", payload); ok {
			w.Header().Set("X-Amzn-Requestid", id)
			w.WriteHeader(http.StatusAccepted)
		}
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException", fmt.Sprintf("X-Amz-Invocation-Type %q: want RequestResponse, Event or DryRun", kind))
	}
}

// answer invokes the function and answers with its result, or with its failure under the status that is given for it.
func (d *door) answer(w http.ResponseWriter, r *http.Request, payload []byte, status func(failure error) int) {
	id, wait := d.function.begin(queue.Invocation{Source: "invoke", Attempt: 1, Payload: payload})
	result, err := wait(r.Context())
	if id != "" {
		w.Header().Set("X-Amzn-Requestid", id)
	}
	failure, failed := runtimeapi.Report(err)
	switch {
	case failed:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		writeJSON(w, status(err), failure)
	case errors.Is(err, runtimeapi.ErrClosed):
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "lambda-local is shutting down")
	case err != nil: // the caller has hung up
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(result) // nobody else could be told
	}
}

// health tells whether there is a runtime. Between an answer and the next poll none is to be seen, so it looks for a while.
func (d *door) health(w http.ResponseWriter, r *http.Request) {
	api, status := d.function.api, http.StatusOK
	for end := time.Now().Add(time.Second); api.Idle()+api.Running() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) || r.Context().Err() != nil {
			status = http.StatusServiceUnavailable
			break
		}
	}
	waiting, running := d.spool.Len()
	told := map[string]any{"idleRuntimes": api.Idle(), "running": api.Running(), "spooled": waiting + running}
	if status != http.StatusOK {
		told["reason"] = "no function polls: start a container of it whose AWS_LAMBDA_RUNTIME_API is the address of --runtime"
	}
	writeJSON(w, status, told)
}

// read returns the body. If it can't, it has answered.
func read(w http.ResponseWriter, r *http.Request, most int) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(most)))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("the body exceeds %d bytes", most))
		return nil, false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", err.Error())
		return nil, false
	}
	return body, true
}

// refuse answers as AWS's APIs do.
func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("X-Amzn-Errortype", errorType)
	writeJSON(w, status, map[string]string{"errorType": errorType, "message": message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // nobody else could be told
}
