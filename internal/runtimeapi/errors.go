package runtimeapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrClosed is what Invoke and WaitReady return once the Server is closed.
	ErrClosed = errors.New("runtime API server closed")

	// ErrRequestTooLarge says that a payload exceeds MaxRequestBytes.
	ErrRequestTooLarge = fmt.Errorf("payload exceeds %d bytes", MaxRequestBytes)
)

// FunctionError is a failure that the function's runtime reported, or a response that Lambda
// would refuse. As JSON it is what Lambda returns to the function's caller.
type FunctionError struct {
	RequestID string `json:"-"` // empty for an error of initialisation
	Type      string `json:"errorType"`
	Message   string `json:"errorMessage"`

	// StackTrace is the runtime's own JSON, if any: Go sends an array of objects with path, line
	// and label, most others an array of strings.
	StackTrace json.RawMessage `json:"stackTrace,omitempty"`
}

// Error is the type and the message.
func (e *FunctionError) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// TimeoutError says that a runtime took an invocation and did not answer in time.
type TimeoutError struct {
	RequestID string
	Timeout   time.Duration // the function's timeout, as given to Invoke
}

// Error is the message in Lambda's words.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", e.RequestID, e.Timeout.Seconds())
}

// Report returns the failure of the function that is in err, in the form in which Lambda tells
// callers and destinations of it. There is none if the function has not failed, but was not run.
func Report(err error) (*FunctionError, bool) {
	if timeout, ok := errors.AsType[*TimeoutError](err); ok {
		return &FunctionError{RequestID: timeout.RequestID, Type: "Sandbox.Timedout", Message: timeout.Error()}, true
	}
	return errors.AsType[*FunctionError](err)
}

// parseFunctionError understands the body of an error report, which a runtime may leave out or
// fill as it likes; headerType is then all that is known.
func parseFunctionError(requestID, headerType string, body []byte) *FunctionError {
	failure := &FunctionError{}
	if err := json.Unmarshal(body, failure); err != nil {
		failure = &FunctionError{Message: string(body)}
	}
	failure.RequestID = requestID
	failure.Type = cmp.Or(failure.Type, headerType, "Runtime.Unknown")
	return failure
}
