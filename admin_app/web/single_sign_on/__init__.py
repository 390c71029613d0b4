"""Single sign-on through OpenID Connect: the authorization code flow with PKCE, state and nonce."""
