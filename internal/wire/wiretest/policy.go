package wiretest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// mayCall evaluates what S3 sees of a target's policy.
func (a *AWS) mayCall(bucket string, e Entry) bool {
	r, action := a.functions[e.Function], "lambda:InvokeFunction"
	if e.Queue != "" {
		r, action = a.queues[e.Queue], "sqs:SendMessage"
	}
	return r != nil && allows(r.seen, action, e.target(), map[string]string{"aws:sourcearn": "arn:aws:s3:::" + bucket, "aws:sourceaccount": Account})
}

// allows evaluates a policy for a call by S3: the part of IAM's language that such policies use.
func allows(document, action, resource string, context map[string]string) bool {
	var policy struct {
		Statement []struct {
			Effect                      string
			Principal, Action, Resource any
			Condition                   map[string]map[string]any
		}
	}
	if json.Unmarshal([]byte(document), &policy) != nil {
		return false
	}
	allowed := false
	for _, s := range policy.Statement {
		services := s.Principal
		if by, ok := s.Principal.(map[string]any); ok {
			services = by["Service"]
		}
		applies := covers(services, "s3.amazonaws.com") && covers(s.Action, action) && covers(s.Resource, resource)
		for operator, conditions := range s.Condition {
			for key, values := range conditions {
				value, known := context[strings.ToLower(key)]
				applies = applies && known && covers(values, value) && slices.Contains([]string{"StringEquals", "StringLike", "ArnLike", "ArnEquals"}, operator)
			}
		}
		if applies && s.Effect == "Deny" {
			return false
		}
		allowed = allowed || applies && s.Effect == "Allow"
	}
	return allowed
}

// covers reports whether a pattern, or one of several, fits.
func covers(patterns any, value string) bool {
	switch p := patterns.(type) {
	case string:
		fits, err := path.Match(strings.ReplaceAll(strings.ToLower(p), "/", "|"), strings.ReplaceAll(strings.ToLower(value), "/", "|"))
		return err == nil && fits
	case []any:
		return slices.ContainsFunc(p, func(one any) bool { return covers(one, value) })
	}
	return false
}

// set gives a resource another policy, which S3 sees when it sees it.
func (a *AWS) set(r *resource, policy string) {
	r.policy, r.after = policy, a.delay
	if a.delay == 0 {
		r.seen = policy
	}
}

var (
	statementID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	lambdaPath  = regexp.MustCompile(`^/2015-03-31/functions/([^/]+)/policy/?([^/]*)$`)
)

func (a *AWS) lambda(w http.ResponseWriter, q request) {
	parts := lambdaPath.FindStringSubmatch(q.http.URL.Path)
	if parts == nil {
		refuse(w, q, http.StatusNotImplemented, "NotImplemented", q.http.URL.Path)
		return
	}
	function, sid := parts[1], parts[2]
	r := a.functions[function]
	if r == nil || q.region != Region {
		refuse(w, q, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+function)
		return
	}
	var policy struct {
		Version   string
		ID        string `json:"Id"`
		Statement []map[string]any
	}
	policy.Version, policy.ID = "2012-10-17", "default"
	if r.policy != "" {
		if err := json.Unmarshal([]byte(r.policy), &policy); err != nil {
			panic(err)
		}
	}
	find := func(sid string) int {
		return slices.IndexFunc(policy.Statement, func(s map[string]any) bool { return s["Sid"] == sid })
	}
	switch q.action {
	case "lambda:GetPolicy":
		if r.policy == "" {
			refuse(w, q, http.StatusNotFound, "ResourceNotFoundException", "The resource you requested does not exist.")
			return
		}
		answerJSON(w, http.StatusOK, map[string]string{"Policy": r.policy, "RevisionId": "1"})
		return
	case "lambda:RemovePermission":
		at := find(sid)
		if at < 0 {
			refuse(w, q, http.StatusNotFound, "ResourceNotFoundException", "Statement "+sid+" is not found in resource policy.")
			return
		}
		policy.Statement = slices.Delete(policy.Statement, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	case "lambda:AddPermission":
		var in struct{ StatementID, Action, Principal, SourceArn, SourceAccount string }
		if err := json.NewDecoder(q.http.Body).Decode(&in); err != nil || !statementID.MatchString(in.StatementID) || !strings.HasPrefix(in.Action, "lambda:") || in.Principal == "" {
			refuse(w, q, http.StatusBadRequest, "ValidationException", fmt.Sprintf("%v %+v", err, in))
			return
		}
		if find(in.StatementID) >= 0 {
			refuse(w, q, http.StatusConflict, "ResourceConflictException", "The statement id ("+in.StatementID+") provided already exists. Please provide a new statement id, or remove the existing statement.")
			return
		}
		conditions := map[string]any{}
		if in.SourceAccount != "" {
			conditions["StringEquals"] = map[string]string{"AWS:SourceAccount": in.SourceAccount}
		}
		if in.SourceArn != "" {
			conditions["ArnLike"] = map[string]string{"AWS:SourceArn": in.SourceArn}
		}
		policy.Statement = append(policy.Statement, map[string]any{"Sid": in.StatementID, "Effect": "Allow", "Principal": map[string]string{"Service": in.Principal},
			"Action": in.Action, "Resource": function, "Condition": conditions})
		answerJSON(w, http.StatusCreated, map[string]string{"Statement": "{}"})
	}
	document := ""
	if len(policy.Statement) > 0 { // without any, there is no policy
		raw, err := json.Marshal(policy)
		if err != nil {
			panic(err)
		}
		document = string(raw)
	}
	a.set(r, document)
}

func (a *AWS) sqs(w http.ResponseWriter, q request) {
	body, err := io.ReadAll(q.http.Body)
	var in struct {
		QueueName, QueueOwnerAWSAccountID string
		QueueURL                          string `json:"QueueUrl"`
		AttributeNames                    []string
		Attributes                        map[string]string
	}
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		refuse(w, q, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	name := in.QueueName
	if name == "" {
		name = path.Base(in.QueueURL)
	}
	r := a.queues["arn:aws:sqs:"+q.region+":"+Account+":"+name]
	if r == nil {
		w.Header().Set("X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
		refuse(w, q, http.StatusBadRequest, "QueueDoesNotExist", "The specified queue does not exist.")
		return
	}
	switch q.action {
	case "sqs:GetQueueUrl":
		answerJSON(w, http.StatusOK, map[string]string{"QueueUrl": a.Endpoint + "/" + Account + "/" + name})
	case "sqs:GetQueueAttributes":
		attributes := map[string]string{}
		if r.policy != "" && slices.Contains(in.AttributeNames, "Policy") {
			attributes["Policy"] = r.policy
		}
		answerJSON(w, http.StatusOK, map[string]any{"Attributes": attributes})
	case "sqs:SetQueueAttributes":
		policy := in.Attributes["Policy"]
		if policy != "" && !json.Valid([]byte(policy)) {
			refuse(w, q, http.StatusBadRequest, "InvalidAttributeValue", "Invalid value for the parameter Policy.")
			return
		}
		a.set(r, policy)
		answerJSON(w, http.StatusOK, map[string]string{})
	default:
		refuse(w, q, http.StatusNotImplemented, "InvalidAction", q.action)
	}
}
