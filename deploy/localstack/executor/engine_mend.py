"""Mends faults of LocalStack 4.14.0 that its updates of a template with conditions show, and its end of a failed deployment.

Files named here are in localstack/services, the first three mends' in cloudformation/engine/v2.
"""

from localstack.runtime import hooks


@hooks.on_infra_start()
def mend():
    from localstack.aws.api.cloudformation import ChangeAction
    from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc
    from localstack.services.cloudformation.engine.v2.change_set_model_visitor import ChangeSetModelVisitor
    from localstack.services.cloudformation.engine.validations import ValidationError
    from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
    from localstack.services.cloudformation.v2 import provider
    from localstack.services.lambda_.invocation.lambda_service import LambdaService

    # Of an Fn::If, the branch that is taken after an update is evaluated as of before it too, and the other way around, and
    # refused if it names what is not there then (change_set_model_preproc.py, visit_node_intrinsic_function_fn_if). Here, the
    # attribute of what is not there is an empty text, as in change_set_model_validator.py; it is in no branch that is used.
    resolve = ChangeSetModelPreproc._resolve_attribute

    def resolve_attribute(self, arguments, select_before):
        try:
            return resolve(self, arguments, select_before)
        except ValidationError:
            return ""

    ChangeSetModelPreproc._resolve_attribute = resolve_attribute

    # What an update's conditions take out is passed over, so it stays, unless something that is left names it
    # (change_set_model_preproc.py, visit_node_resources). The method that this one overrides passes nothing over.
    ChangeSetModelPreproc.visit_node_resources = ChangeSetModelVisitor.visit_node_resources

    # With a stack, what it never made is deleted too, and fails for want of a name (change_set_model_executor.py,
    # _merge_before_properties). AWS deletes what was made, and passes over what wasn't.
    execute = ChangeSetModelExecutor._execute_resource_action

    def execute_resource_action(self, action, logical_resource_id, **more):
        made = self._change_set.stack.resolved_resources.get(logical_resource_id, {}).get("Properties")
        if action == ChangeAction.Remove and not made:
            return ProgressEvent(OperationStatus.SUCCESS, resource_model={})
        return execute(self, action=action, logical_resource_id=logical_resource_id, **more)

    ChangeSetModelExecutor._execute_resource_action = execute_resource_action

    # A function that failed has no version manager, and is not deleted without one (lambda_/invocation/lambda_service.py,
    # stop_version).
    stop = LambdaService.stop_version

    def stop_version(self, qualified_arn):
        try:
            stop(self, qualified_arn)
        except ValueError:
            pass

    LambdaService.stop_version = stop_version

    # No fault: the AWS CLI looks at a stack each half a minute, and what is done in seconds is done when it looks first.
    start = provider.start_worker_thread
    provider.start_worker_thread = lambda work: start(work).join(30)
