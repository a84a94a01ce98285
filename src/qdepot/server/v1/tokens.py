"""Who one is, and tokens for others to be somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from qdepot.server.answering import json_response
from qdepot.server.auth import Anybody, TokenManager
from qdepot.server.bodies import RawBody, parse
from qdepot.server.v1 import documented
from qdepot.server.v1.queries import RevokeQuery, TokensQuery
from qdepot.services.orders import SubmitLimits
from qdepot.services.tokens import Tokens
from qdepot.wire.tokens import MeAnswer, NewTokenAnswer, TokenAnswer, TokenBody, TokenListAnswer

TOKENS_PATH = "/v1/tokens"


class TokenRoutes:
    """Routes for tokens."""

    def __init__(self, tokens: Tokens, limits_of: Callable[[str], SubmitLimits]) -> None:
        self._tokens = tokens
        self._limits_of = limits_of

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["tokens"])
        router.get(
            "/v1/me", operation_id="getMe", response_model=MeAnswer, responses=documented.problems("unavailable")
        )(self.get_me)
        router.post(
            TOKENS_PATH,
            operation_id="createToken",
            status_code=201,
            response_model=NewTokenAnswer,
            response_description="It is made. Keep its text: nobody else does.",
            responses=documented.problems(*documented.BODY_CODES, "unavailable"),
            openapi_extra=documented.body_of(TokenBody),
        )(self.create_token)
        router.get(
            TOKENS_PATH,
            operation_id="listTokens",
            response_model=TokenListAnswer,
            responses=documented.problems("invalid_request", "unavailable"),
        )(self.list_tokens)
        router.delete(
            f"{TOKENS_PATH}/{{token_id}}",
            operation_id="revokeToken",
            status_code=204,
            response_description="It is worth nothing any more.",
            responses=documented.problems("invalid_request", "not_found", "unavailable"),
        )(self.revoke_token)
        return router

    def get_me(self, caller: Anybody) -> Response:
        """Who you are, and what you may do."""
        token = self._tokens.of(caller)
        limits = asdict(self._limits_of(caller.project))
        answer = {
            "user": caller.user,
            "project": caller.project,
            "role": caller.role,
            "scopes": sorted(caller.scopes),
            "token": None if token is None else TokenAnswer.of(token),
            "limits": limits,
        }
        return json_response(MeAnswer.model_validate(answer))

    def create_token(self, caller: TokenManager, raw: RawBody) -> Response:
        """Make a token.

        Its text is in this answer and nowhere else. It can have at most the rights of the token that you make it with,
        and expires at the latest when that one does. Who is no admin makes tokens for itself alone, and only with the
        scope `service:admin` are tokens made for another project; a project comes into being with its first token. A
        repeat makes another token.
        """
        token, text = self._tokens.create(parse(TokenBody, raw).wish(), caller=caller)
        return json_response(
            NewTokenAnswer.made(token, text), status=201, headers={"Location": f"{TOKENS_PATH}/{token.id}"}
        )

    def list_tokens(self, caller: TokenManager, query: Annotated[TokensQuery, Query()]) -> Response:
        """Your tokens or, as an admin, those of the project.

        Newest first, also those that are worth nothing any more.
        """
        tokens = self._tokens.list_all(caller=caller, project=query.project)
        return json_response(TokenListAnswer(tokens=[TokenAnswer.of(token) for token in tokens]))

    def revoke_token(self, token_id: str, caller: TokenManager, query: Annotated[RevokeQuery, Query()]) -> Response:
        """Revoke a token: at once here, within seconds where other processes serve.

        A token that expires takes the tokens that were made with it along, unless told otherwise. A repeat does no
        harm.
        """
        self._tokens.revoke(token_id, caller=caller, derived=query.derived)
        return Response(status_code=204)
