"""How we speak: the JSON of the v1 API, shared by server and client."""
