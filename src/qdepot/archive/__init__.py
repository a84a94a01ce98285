"""Where content lies: which bytes under which key, over an object store."""
