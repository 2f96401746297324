//! What the caller's own key may do.

use prilavok_wire::Failure;
use prilavok_wire::answer::TokenDto;

use super::answer::Reply;
use super::call::Call;

pub(super) fn get_auth_token_info(call: &Call<'_>) -> Result<Reply, Failure> {
    let key = call.credential;
    call.header_errors().finish(())?;
    Ok(Reply::result(TokenDto::new(key.name.as_str(), key.scopes)))
}
