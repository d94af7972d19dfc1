"""The requests of this backend in the words of OpenAPI, for tools that read or test it."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from backend.protocol import VERSION, DecomposeRequest, DecomposeSettings, JobStatus, SettingInfo, Task, settings_info
from backend.server.guard import BODY_LIMIT

JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
REFUSALS = {
    "401": "The token is missing or wrong",
    "403": "Sent by a web page, or to another host",
    "404": "There is no such thing",
    "405": "Not possible here",
    "408": "The request took too long to arrive",
    "409": "Not possible in the job's state",
    "413": f"Larger than {BODY_LIMIT} bytes",
    "422": "A value can't be used",
    "500": "Our own fault",
}
JOB_ID = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
AFTER = {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}}
REQUIRED = ("plate", "out")
ABSOLUTE = r"([A-Za-z]:[\\/]|\\\\)[^\x00]*$" if os.name == "nt" else r"/[^\x00]*$"
OBJECT = {"type": "object"}
JOB = {"$ref": "#/components/schemas/JobStatus"}
JOBS = {"type": "object", "required": ["jobs"], "properties": {"jobs": {"type": "array", "items": JOB}}}


def openapi() -> dict[str, Any]:
    """The whole description, as JSON data; limits and tooltips are those of the protocol."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Retime People", "version": VERSION},
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"DecomposeRequest": _request_schema(), "JobStatus": _status_schema()},
        },
        "paths": _paths(),
    }


def _paths() -> dict[str, Any]:
    request = {"$ref": "#/components/schemas/DecomposeRequest"}
    body = {"required": True, "content": {"application/json": {"schema": request}}}
    return {
        "/health": {"get": _operation("Who is there", "200", OBJECT)},
        "/jobs": {
            "post": _operation("Queue a job", "201", JOB) | {"requestBody": body},
            "get": _operation("Every job, oldest first", "200", JOBS),
        },
        "/jobs/{job_id}": {
            "get": _operation("One job", "200", JOB, JOB_ID),
            "delete": _operation("Forget a job that is done; its results stay", "204", None, JOB_ID),
        },
        "/jobs/{job_id}/events": {"get": _operation("What happened since", "200", OBJECT, JOB_ID, AFTER)},
        "/jobs/{job_id}/cancel": {"post": _operation("Stop a job", "200", JOB, JOB_ID)},
        "/jobs/{job_id}/resume": {"post": _operation("Go on from the checkpoint", "200", JOB, JOB_ID)},
        "/jobs/{job_id}/preview": {"get": _preview()},
        "/shutdown": {"post": _operation("End the backend", "202", OBJECT)},
        "/openapi.json": {"get": _operation("This description", "200", OBJECT)},
    }


def _operation(summary: str, status: str, schema: Any, *parameters: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": summary}
    if schema is not None:
        done["content"] = {"application/json": {"schema": schema}}
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    refused = {
        code: {"description": text, "content": {"application/json": {"schema": error}}}
        for code, text in REFUSALS.items()
    }
    return {"summary": summary, "parameters": list(parameters), "responses": {status: done, **refused}}


def _preview() -> dict[str, Any]:
    operation = _operation("The picture the job showed last", "200", None, JOB_ID)
    operation["responses"]["200"]["content"] = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
    return operation


def _request_schema() -> dict[str, Any]:
    names = [f.name for f in dataclasses.fields(DecomposeRequest) if f.name not in ("resume", "settings", "task")]
    properties: dict[str, Any] = {name: _path_schema(name not in REQUIRED) for name in names}
    properties["task"] = {"type": "string", "enum": [task.value for task in Task], "default": Task.DECOMPOSE.value}
    properties |= {"resume": {"type": "boolean"}, "settings": _settings_schema()}
    return {
        "type": "object",
        "required": list(REQUIRED),
        "additionalProperties": False,
        "properties": properties,
    }


def _path_schema(may_be_empty: bool) -> dict[str, Any]:
    pattern = f"^({ABSOLUTE}|$)" if may_be_empty else f"^{ABSOLUTE}"
    return {"type": "string", "description": "An absolute path", "pattern": pattern, "minLength": int(not may_be_empty)}


def _settings_schema() -> dict[str, Any]:
    properties = {
        name: _setting_schema(info, getattr(DecomposeSettings, name))
        for name, info in settings_info(DecomposeSettings).items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _setting_schema(info: SettingInfo, default: Any) -> dict[str, Any]:
    schema = {"type": JSON_TYPES[type(default)], "default": default, "description": info.tooltip}
    if info.choices:
        schema["enum"] = [choice[0] for choice in info.choices]
    if info.minimum is not None:
        schema["minimum"] = info.minimum
    if info.maximum is not None:
        schema["maximum"] = info.maximum
    return schema


def _status_schema() -> dict[str, Any]:
    names = [f.name for f in dataclasses.fields(JobStatus)]
    return {"type": "object", "required": names, "properties": {name: {} for name in names}}
