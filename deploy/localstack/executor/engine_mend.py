"""Mends what LocalStack 4.14.0 does wrong when a stack is updated whose template has conditions.

Of an Fn::If, its CloudFormation evaluates the branch that is taken after the update as of before it too, and the other way
around (change_set_model_preproc.py, visit_node_intrinsic_function_fn_if), and refuses the change set if that names a
resource that is not there then: "Unresolved resource dependencies". Here, the attribute of what is not there is an empty
text, as in change_set_model_validator.py; it is in no branch that is used.
"""

from localstack.runtime import hooks


@hooks.on_infra_start()
def mend():
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc
    from localstack.services.cloudformation.engine.validations import ValidationError

    resolve = ChangeSetModelPreproc._resolve_attribute

    def resolve_attribute(self, arguments, select_before):
        try:
            return resolve(self, arguments, select_before)
        except ValidationError:
            return ""

    ChangeSetModelPreproc._resolve_attribute = resolve_attribute
