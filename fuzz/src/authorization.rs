//! The `Authorization` header of sellers' systems.

use axum::http::HeaderValue;
use prilavok_server::secrets::{AuthorizationError, oauth_token};

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    // What no text is, is refused before it comes here.
    let Ok(header) = value.to_str() else { return };
    let found = oauth_token(header);
    let scheme = header.split_whitespace().next().unwrap_or_default();
    let known = scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("OAuth");
    match found {
        Ok(token) => {
            assert!(known, "{header} has no scheme that we know");
            assert!(header.contains(token), "{token} is not in {header}");
            assert!(
                !token.is_empty() && !token.contains([' ', '\t', '"', ',']),
                "{token:?}"
            );
            for again in [
                format!("Bearer {token}"),
                format!("bEARER   {token} "),
                format!("OAuth oauth_token=\"{token}\", oauth_client_id=\"x\""),
                format!("oauth oauth_client_id=\"x\",OAUTH_TOKEN = {token}"),
            ] {
                assert_eq!(oauth_token(&again), Ok(token), "{again}");
            }
        }
        Err(AuthorizationError::TokenMissing) => assert!(known, "{header}"),
        Err(AuthorizationError::Syntax) => {}
    }
    assert_eq!(
        oauth_token(&format!(" {header}\t")),
        found,
        "white space around {header}"
    );
    let loud = header.replacen(scheme, &scheme.to_ascii_uppercase(), 1);
    assert_eq!(oauth_token(&loud), found, "the case of the scheme of {header}");
}
