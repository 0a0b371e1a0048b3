"""Lets the free LocalStack run functions from container images, which its own executor keeps for the paid edition.

LAMBDA_RUNTIME_EXECUTOR=image chooses it. LocalStack does all the rest: who is invoked when, retries, destinations,
queues. For each invocation that it wants to run at the same time as others it makes an executor, which starts the image
beside LocalStack, on the host's network, and hands it one invocation after the other over Lambda's Runtime API. As in
Lambda, the image's root is read-only, memory is bounded, and who is not done in time is killed.
"""

import json
import queue
import threading
import time

import docker
from werkzeug import Request, Response
from werkzeug.serving import make_server

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

HOST = "127.0.0.1"


class ImageExecutorPlugin(RuntimeExecutorPlugin):
    name = "image"

    def load(self, *args, **kwargs):
        return ImageExecutor


class Sandbox:
    """One container, and the Runtime API for it alone: the polls of one that was killed take nothing from the next."""

    def __init__(self, name, function, environment):
        self.timeout = function.timeout
        self.invocations, self.answers = queue.Queue(), queue.Queue()
        self.exited, self.shown = threading.Event(), 0
        self.server = make_server(HOST, 0, self.runtime_api, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.container = docker.from_env().containers.run(
            function.image.image_uri,
            name=name,
            detach=True,
            network_mode="host",
            environment=environment | {"AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self.server.port}"},
            mem_limit=f"{function.memory_size}m",
            memswap_limit=f"{function.memory_size}m",
            read_only=True,
            tmpfs={"/tmp": ""},
            cap_drop=["ALL"],
        )
        threading.Thread(target=self.watch, daemon=True).start()

    @Request.application
    def runtime_api(self, request):
        if request.method == "POST":  # …/invocation/ID/response, …/invocation/ID/error or …/init/error
            self.answers.put((request.path.endswith("/error"), request.get_data()))
            return Response(status=202)
        payload = self.invocations.get()  # …/invocation/next
        if payload is None:
            return Response(status=410)
        return Response(
            payload["payload"],
            content_type="application/json",
            headers={
                "Lambda-Runtime-Aws-Request-Id": payload["invoke-id"],
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.timeout) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": payload["invoked-function-arn"],
                "Lambda-Runtime-Trace-Id": payload["trace-id"],
            },
        )

    def watch(self):
        try:
            status = self.container.wait()["StatusCode"]
        except docker.errors.APIError:  # it is gone: stop was faster
            status = "unknown"
        self.exited.set()
        self.answers.put((True, failure("Runtime.ExitError", f"Runtime exited with status {status}")))

    def invoke(self, payload):
        self.invocations.put(payload)
        try:
            is_error, body = self.answers.get(timeout=self.timeout)
        except queue.Empty:
            is_error, body = True, failure("Sandbox.Timedout", f"Task timed out after {self.timeout}.00 seconds")
            self.stop()
        # With logs, LocalStack would make a log group that the template doesn't know: it passes LoggingConfig over. Without
        # them, it asks for what there is, and has it in its own log.
        return InvocationResult(payload["invoke-id"], body, is_error, logs=None)

    def logs(self):
        """What was logged since it was asked last."""
        try:
            text = self.container.logs().decode(errors="replace")
        except docker.errors.APIError:
            return ""
        new, self.shown = text[self.shown :], len(text)
        return new

    def stop(self):
        self.exited.set()
        self.invocations.put(None)
        self.server.shutdown()
        try:
            self.container.remove(force=True)
        except docker.errors.NotFound:
            pass


def failure(kind, message):
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


class ImageExecutor(RuntimeExecutor):
    sandbox = None

    @classmethod
    def prepare_version(cls, function_version):
        """Refuses an image that isn't there, as Lambda does; LocalStack would find out at the first invocation."""
        image = function_version.config.image.image_uri
        try:
            docker.from_env().images.get(image)
        except docker.errors.ImageNotFound:
            raise ValueError(f"Source image {image} does not exist. Provide a valid source image.")

    @classmethod
    def cleanup_version(cls, function_version):
        pass

    def start(self, env_vars):
        self.environment = {name: str(value) for name, value in env_vars.items()}
        self.sandbox = self.fresh()

    def fresh(self):
        name = f"{config.MAIN_CONTAINER_NAME}-{self.function_version.id.function_name}-{time.time_ns()}"
        return Sandbox(name, self.function_version.config, self.environment)

    def invoke(self, payload):
        if self.sandbox.exited.is_set():
            self.sandbox.stop()
            self.sandbox = self.fresh()
        return self.sandbox.invoke(payload)

    def stop(self):
        if self.sandbox:
            self.sandbox.stop()

    def get_logs(self):
        return self.sandbox.logs() if self.sandbox else ""

    def get_address(self):
        return HOST

    def get_endpoint_from_executor(self):
        return HOST

    def get_runtime_endpoint(self):
        return ""
