package deploy_test

import "testing"

// EventBridge may use the key of a topic that a rule sends to, and nobody but the account may besides: neither its metadata
// nor its deletion is a service's.
func TestTheTopicIsEncryptedSoThatEventBridgeCanPublish(t *testing.T) {
	everyCombination(t, func(t *testing.T, given map[string]string, s *stack) {
		if given["ResultsTo"] != "sns" {
			return
		}
		if topic := s.attribute("ResultsTopic.Ref"); s.keyOfTopic(topic) == "" {
			t.Fatalf("%s is encrypted with %v", topic, s.properties("ResultsTopic")["KmsMasterKeyId"])
		}
		policy := statements(t, s.properties("ResultsTopicKey")["KeyPolicy"])
		var services, owner []statement
		for _, one := range policy {
			if dig(one.Principal, "Service") == "events.amazonaws.com" {
				services = append(services, one)
			} else if dig(one.Principal, "AWS") == "arn:aws:iam::"+account+":root" {
				owner = append(owner, one)
			}
		}
		for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
			if !allows(services, need{action, "*"}, nil) {
				t.Errorf("EventBridge lacks %s: %+v", action, policy)
			}
		}
		if len(services)+len(owner) != len(policy) || allows(services, need{"kms:ScheduleKeyDeletion", "*"}, nil) || !allows(owner, need{"kms:ScheduleKeyDeletion", "*"}, nil) {
			t.Errorf("%+v", policy)
		}
	})
}

// keyOfTopic is the ARN of the key that a topic of the stack is encrypted with, or "". Who publishes needs its use, by way
// of SNS. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
func (s *stack) keyOfTopic(topic string) string {
	for _, id := range s.ofType("AWS::SNS::Topic") {
		for _, key := range s.ofType("AWS::KMS::Key") {
			if s.attribute(id+".Ref") == topic && s.properties(id)["KmsMasterKeyId"] == s.attribute(key+".Ref") {
				return s.attribute(key + ".Arn")
			}
		}
	}
	return ""
}
