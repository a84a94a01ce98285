"""The partner of benchmarks over HTTP: a route that reads the same body and does nothing, and one that only answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from qdepot.server.serve import serve

app = FastAPI()
app.state.close_waits = lambda: None


async def raw_body(request: Request) -> bytes:
    return await request.body()


@app.post("/v1/jobs")
def nothing(body: Annotated[bytes, Depends(raw_body)]) -> Response:
    return Response(content=b'{"id": "x"}', status_code=201, media_type="application/json")


@app.get("/empty")
def empty() -> Response:
    return Response(content=b'{"id": "x"}', media_type="application/json")


if __name__ == "__main__":
    serve(app, on_ready=lambda url: print(f"ready at {url}", flush=True))
