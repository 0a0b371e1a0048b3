package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	apiRoot = "/2018-06-01/runtime"

	headerRequestID = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline  = "Lambda-Runtime-Deadline-Ms"
	headerARN       = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID   = "Lambda-Runtime-Trace-Id"
	headerErrorType = "Lambda-Runtime-Function-Error-Type" // in requests, and in trailers
	headerErrorBody = "Lambda-Runtime-Function-Error-Body" // in trailers: base64 of the error's JSON

	// writeTimeout is how long a runtime may take to read an invocation off its socket before
	// the invocation is given to another one.
	writeTimeout = 10 * time.Second

	// drainBytes is how much of a refused body is read so that the runtime gets to see the
	// answer: closing a socket with unread data resets the connection.
	drainBytes = 64 << 20
)

// ServeHTTP serves the Runtime API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(method, path string, handler http.HandlerFunc) {
		mux.HandleFunc(method+" "+apiRoot+path, handler)
		mux.HandleFunc(apiRoot+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", method)
			refuse(w, r, http.StatusMethodNotAllowed, "MethodNotAllowed", fmt.Sprintf("%s takes %s, not %s", r.URL.Path, method, r.Method))
		})
	}
	handle(http.MethodGet, "/invocation/next", s.serveNext)
	handle(http.MethodPost, "/invocation/{id}/response", s.serveResponse)
	handle(http.MethodPost, "/invocation/{id}/error", s.serveError)
	handle(http.MethodPost, "/init/error", s.serveInitError)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusNotFound, "NotFound", "no such resource: "+r.URL.Path)
	})
	return mux
}

func (s *Server) serveNext(w http.ResponseWriter, r *http.Request) {
	inv, err := s.take(r.Context())
	switch {
	case errors.Is(err, ErrClosed):
		refuse(w, r, http.StatusInternalServerError, "InternalServerError", err.Error())
	case err != nil: // the runtime has hung up
	default:
		attempt := inv.attempt // constant until the delivery is undone
		if err := s.deliver(w, r, inv); err != nil {
			s.putBack(inv)
			return
		}
		s.hold(r, inv, attempt)
	}
}

// deliver writes inv to a runtime. An error means that the runtime has not got all of it.
//
// A peer that vanished while it waited shows itself in one of three ways: the request's context
// is cancelled; the socket is reset when the header reaches it, so that the write of the body
// fails; or it stops reading, and the write times out. The header therefore goes out by itself.
// What the peer's kernel has accepted counts as delivered: if the process dies after that, the
// invocation has been attempted.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, inv *invocation) error {
	connection := http.NewResponseController(w)
	if err := supported(connection.SetWriteDeadline(time.Now().Add(writeTimeout))); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	header.Set(headerRequestID, inv.id)
	header.Set(headerDeadline, strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	header.Set(headerARN, s.config.FunctionARN)
	header.Set(headerTraceID, inv.traceID)
	w.WriteHeader(http.StatusOK)
	if err := supported(connection.Flush()); err != nil {
		return err
	}
	if err := r.Context().Err(); err != nil {
		return err
	}
	if _, err := w.Write(inv.payload); err != nil {
		return err
	}
	if err := supported(connection.Flush()); err != nil {
		return err
	}
	// The runtime has it. A connection that refuses this will be found broken at its next use.
	_ = connection.SetWriteDeadline(time.Time{})
	return nil
}

// supported drops the error that says that a ResponseWriter, such as a test's recorder, has no
// connection to be told about.
func supported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

func (s *Server) serveResponse(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !s.running(id) {
		refuseID(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxResponseBytes+1))
	if err != nil {
		refuseTruncated(w, r)
		return
	}
	if len(body) > MaxResponseBytes {
		tooLarge := &FunctionError{
			RequestID: id,
			Type:      "Function.ResponseSizeTooLarge",
			Message:   fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponseBytes),
		}
		if !s.finish(id, nil, tooLarge) {
			refuseID(w, r)
			return
		}
		refuse(w, r, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxResponseBytes))
		return
	}
	// A runtime whose response fails half-way can only say so in the trailers.
	var failure error
	if errorType := r.Trailer.Get(headerErrorType); errorType != "" {
		detail, err := base64.StdEncoding.DecodeString(r.Trailer.Get(headerErrorBody))
		if err != nil {
			detail = nil
		}
		body, failure = nil, parseFunctionError(id, errorType, detail)
	}
	if !s.finish(id, body, failure) {
		refuseID(w, r)
		return
	}
	accept(w)
}

func (s *Server) serveError(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !s.running(id) {
		refuseID(w, r)
		return
	}
	failure, err := readFunctionError(id, r)
	if err != nil {
		refuseTruncated(w, r)
		return
	}
	if !s.finish(id, nil, failure) {
		refuseID(w, r)
		return
	}
	drain(r)
	accept(w)
}

func (s *Server) serveInitError(w http.ResponseWriter, r *http.Request) {
	failure, err := readFunctionError("", r)
	if err != nil {
		refuseTruncated(w, r)
		return
	}
	s.failStart(failure)
	if s.config.OnInitError != nil {
		s.config.OnInitError(failure)
	}
	drain(r)
	accept(w)
}

// readFunctionError reads an error report. What exceeds the response limit is cut off, which
// leaves of the report what the header says.
func readFunctionError(id string, r *http.Request) (*FunctionError, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxResponseBytes))
	if err != nil {
		return nil, err
	}
	return parseFunctionError(id, r.Header.Get(headerErrorType), body), nil
}

func accept(w http.ResponseWriter) {
	writeJSON(w, http.StatusAccepted, struct {
		Status string `json:"status"`
	}{"OK"})
}

func refuseID(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}

func refuseTruncated(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

func refuse(w http.ResponseWriter, r *http.Request, status int, errorType, message string) {
	drain(r)
	writeJSON(w, status, struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, errorType})
}

func drain(r *http.Request) {
	// Whether the runtime finishes its request is its own affair: the answer is decided.
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A runtime that is gone before it is answered has lost nothing that could be kept for it.
	_ = json.NewEncoder(w).Encode(body)
}
