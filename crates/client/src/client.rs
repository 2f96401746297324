//! The client: whom it calls, as whom, and what it does when a call fails.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::Method;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use url::Url;

use crate::answer::wire::{Campaigns, OneCampaign, Success, Token};
use crate::answer::{Attachment, Campaign, KeyInfo};
use crate::business::Business;
use crate::call::{Area, Call, get};
use crate::credential::Credential;
use crate::error::{ApiError, Error, Outcome};
use crate::id::{BusinessId, CampaignId};
use crate::limit::Gate;
use crate::page::{Page, PageRequest, all_pages};
use crate::retry::RetryPolicy;
use crate::transport::{Answer, Incoming, Transport, Unanswered};

/// The most campaigns on a page.
const CAMPAIGNS_PER_PAGE: u32 = 100;
/// The API's own advice.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// So many calls of a business may be under way.
const PARALLEL: usize = 4;

/// A client of one server with one credential. Clones are cheap and share connections and limits.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/client/sandbox.rs"));
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = Sandbox::start().await;
/// # let (url, key) = (&*sandbox.url, &*sandbox.key);
/// use prilavok_client::{BusinessId, ChatId, Client, Credential};
///
/// let client = Client::builder(url, Credential::api_key(key)?).build()?;
/// let shop = client.business(BusinessId::new(1)?);
/// let chat = shop.chat(ChatId::new(1)?).await?;
/// println!("{} since {}", chat.status, chat.updated_at);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Transport,
    base: Url,
    host: String,
    credential: Credential,
    retry: RetryPolicy,
    wait_for_limits: Duration,
    idempotency_keys: bool,
    gate: Gate,
}

/// How a [`Client`] is to be.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    base: String,
    credential: Credential,
    timeout: Duration,
    retry: RetryPolicy,
    wait_for_limits: Duration,
    parallel: usize,
    idempotency_keys: bool,
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL cannot be called.
    #[error("`{0}` is no base URL: one is written like https://chats.example.com")]
    BaseUrl(String),
    /// The certificates cannot be used.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

impl ClientBuilder {
    /// How long a call may take, connecting apart. 10 seconds unless set.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often and how fast calls are tried again. A call is tried again if it was surely not done: there was no
    /// connection, or the server refused it with 420, 423 or 429. Calls that do no harm when they are done twice are also
    /// tried again when nobody knows: no answer, or 5xx. Those are all that read, starting a chat, and, with
    /// [`idempotency_keys`](Self::idempotency_keys), sends.
    #[must_use]
    pub const fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Waits for the next hour when the calls of an hour are used up, for so long at most; a call that would have to wait
    /// longer fails at once. Unless set, the server's refusal is the error.
    #[must_use]
    pub const fn wait_for_limits(mut self, at_most: Duration) -> Self {
        self.wait_for_limits = at_most;
        self
    }

    /// How many calls may be under way for a business at a time; others wait for their turn. 4 unless set, as the API
    /// has it.
    #[must_use]
    pub const fn parallel(mut self, calls: usize) -> Self {
        self.parallel = calls;
        self
    }

    /// The server takes `Idempotency-Key`, as Prilavok does: sends carry one, and are tried again without ever making two
    /// messages. Do not say so of a server that does not.
    #[must_use]
    pub const fn idempotency_keys(mut self) -> Self {
        self.idempotency_keys = true;
        self
    }

    /// Makes the client. Nothing is called yet.
    pub fn build(self) -> Result<Client, BuildError> {
        let wrong = || BuildError::BaseUrl(self.base.clone());
        let mut base = Url::parse(self.base.trim()).map_err(|_| wrong())?;
        let scheme_fits = matches!(base.scheme(), "http" | "https");
        if !scheme_fits || base.query().is_some() || base.fragment().is_some() || !base.username().is_empty()
        {
            return Err(wrong());
        }
        // Connectors are configured with and without the version.
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix("/v2").unwrap_or(path).to_owned();
        base.set_path(&path);
        let host = base.host_str().ok_or_else(wrong)?;
        let host = base
            .port()
            .map_or(host.to_owned(), |port| format!("{host}:{port}"));
        let transport =
            Transport::new(self.timeout, CONNECT_TIMEOUT.min(self.timeout)).map_err(BuildError::Tls)?;
        Ok(Client {
            inner: Arc::new(Inner {
                transport,
                base,
                host,
                credential: self.credential,
                retry: self.retry,
                wait_for_limits: self.wait_for_limits,
                idempotency_keys: self.idempotency_keys,
                gate: Gate::new(self.parallel.clamp(1, Semaphore::MAX_PERMITS)),
            }),
        })
    }
}

impl Client {
    /// A client of the server at `base_url`, with or without `/v2` at its end.
    #[must_use]
    pub fn builder(base_url: &str, credential: Credential) -> ClientBuilder {
        ClientBuilder {
            base: base_url.to_owned(),
            credential,
            timeout: TIMEOUT,
            retry: RetryPolicy::default(),
            wait_for_limits: Duration::ZERO,
            parallel: PARALLEL,
            idempotency_keys: false,
        }
    }

    /// The chats of a business.
    #[must_use]
    pub fn business(&self, id: BusinessId) -> Business {
        Business::new(self.clone(), id)
    }

    /// What the key may do; for keys only, not for OAuth tokens.
    pub async fn key_info(&self) -> Result<KeyInfo, Error> {
        let call = Call::new(
            "getAuthTokenInfo",
            Method::POST,
            Area::Key,
            self.url(&["auth", "token"]),
        );
        let token: Success<Token> = self.read(&call).await?;
        Ok(token.result.api_key)
    }

    /// A page of the campaigns that the credential may see; up to 100 on one.
    pub async fn campaigns_page(&self, page: PageRequest) -> Result<Page<Campaign>, Error> {
        let call = Call::new("getCampaigns", Method::GET, Area::Key, self.url(&["campaigns"]));
        // Without either, pages are numbered.
        let limit = page.limit.unwrap_or(CAMPAIGNS_PER_PAGE);
        let page = PageRequest {
            limit: Some(limit),
            ..page
        };
        let found: Campaigns = self.read(&paged(call, page)).await?;
        Ok(Page {
            items: found.campaigns,
            next: found.paging.and_then(|paging| paging.next_page_token),
        })
    }

    /// All campaigns that the credential may see.
    pub fn campaigns(&self) -> impl Stream<Item = Result<Campaign, Error>> + Send + 'static {
        let client = self.clone();
        all_pages(CAMPAIGNS_PER_PAGE, move |page| {
            let client = client.clone();
            async move { client.campaigns_page(page).await }
        })
    }

    /// One campaign.
    pub async fn campaign(&self, id: CampaignId) -> Result<Campaign, Error> {
        let url = self.url(&["campaigns", &id.to_string()]);
        let found: OneCampaign = self
            .read(&Call::new("getCampaign", Method::GET, Area::Campaign(id), url))
            .await?;
        Ok(found.campaign)
    }

    /// Downloads a file of a message. The credential is shown only to the server that the client calls, and redirects are
    /// not followed.
    pub async fn download(&self, file: &Attachment) -> Result<Bytes, Error> {
        const OPERATION: &str = "download";
        let unreadable = |why: String| Error::Unreadable {
            operation: OPERATION,
            why,
        };
        let url =
            Url::parse(&file.url).map_err(|error| unreadable(format!("the link of the file: {error}")))?;
        let mut request = get(&url);
        if url.origin() == self.inner.base.origin() {
            let (name, value) = self.inner.credential.header();
            request = request.header(name, value);
        }
        let request = request
            .body(Full::default())
            .map_err(|error| unreadable(error.to_string()))?;
        let answer = self.inner.transport.exchange(request).await;
        let answer = answer.map_err(|unanswered| self.unanswered(OPERATION, unanswered))?;
        match answer.status {
            200 => Ok(answer.body),
            _ => Err(failed(OPERATION, &answer)),
        }
    }

    pub(crate) fn takes_idempotency_keys(&self) -> bool {
        self.inner.idempotency_keys
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.inner.retry
    }

    /// The address of a path below the version.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.inner.base.clone();
        // It fails for addresses like `mailto:` only.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v2").extend(path);
        }
        url
    }

    /// Makes a call, again if need be, and reads its answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let body = self.perform(call).await?;
        serde_json::from_slice(&body).map_err(|error| Error::Unreadable {
            operation: call.operation,
            why: error.to_string(),
        })
    }

    /// Makes a call, again if need be; answers its body.
    pub(crate) async fn perform(&self, call: &Call) -> Result<Bytes, Error> {
        let Inner { retry, gate, .. } = &*self.inner;
        let mut patience = self.inner.wait_for_limits;
        let mut failures = 0;
        loop {
            self.wait_for_reset(call, &mut patience).await?;
            let result = {
                let _place = gate.enter(call.area).await;
                self.once(call).await
            };
            let error = match result {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let api = error.api();
            if api.is_some_and(ApiError::is_used_up) {
                if self.inner.wait_for_limits.is_zero() {
                    return Err(error);
                }
                // It waits above. Where it is not known how long, this is a failure like others.
                if !gate.reset_in(call).is_zero() {
                    continue;
                }
            }
            failures += 1;
            let may_repeat = match error.outcome() {
                Outcome::NotDone => true,
                Outcome::InDoubt => call.repeatable,
                Outcome::Final => false,
            };
            if !may_repeat || failures >= retry.attempts {
                return Err(error);
            }
            let asked = api.and_then(|api| api.retry_after);
            tokio::time::sleep(retry.pause(failures, asked)).await;
        }
    }

    /// Waits until there are calls again, if there are none and the caller wants to.
    async fn wait_for_reset(&self, call: &Call, patience: &mut Duration) -> Result<(), Error> {
        if self.inner.wait_for_limits.is_zero() {
            return Ok(());
        }
        let reset_in = self.inner.gate.reset_in(call);
        if reset_in.is_zero() {
            return Ok(());
        }
        *patience = patience.checked_sub(reset_in).ok_or(Error::UsedUp {
            operation: call.operation,
            reset_in,
        })?;
        tokio::time::sleep(reset_in).await;
        Ok(())
    }

    async fn once(&self, call: &Call) -> Result<Bytes, Error> {
        let request = call
            .request(&self.inner.credential)
            .map_err(|error| Error::Unreachable {
                host: self.inner.host.clone(),
                why: error.to_string(),
            })?;
        let answer = self.inner.transport.exchange(request).await;
        let answer = answer.map_err(|unanswered| self.unanswered(call.operation, unanswered))?;
        self.inner.gate.note(call, &answer.limit);
        match answer.status {
            200 => Ok(answer.body),
            _ => Err(failed(call.operation, &answer)),
        }
    }

    /// Opens a stream; answers its body.
    pub(crate) async fn open(
        &self,
        operation: &'static str,
        request: http::request::Builder,
    ) -> Result<Incoming, Error> {
        let (name, value) = self.inner.credential.header();
        let request = request.header(name, value).body(Full::default());
        let request = request.map_err(|error| Error::Unreachable {
            host: self.inner.host.clone(),
            why: error.to_string(),
        })?;
        let opened = self.inner.transport.open(request).await;
        let response = opened.map_err(|unanswered| self.unanswered(operation, unanswered))?;
        if response.status().as_u16() == 200 {
            return Ok(response.into_body());
        }
        let answer = self.inner.transport.finish(response).await;
        let answer = answer.map_err(|unanswered| self.unanswered(operation, unanswered))?;
        Err(failed(operation, &answer))
    }

    pub(crate) fn interrupted(&self, operation: &'static str, why: String) -> Error {
        self.unanswered(operation, Unanswered::InDoubt(why))
    }

    fn unanswered(&self, operation: &'static str, unanswered: Unanswered) -> Error {
        let host = self.inner.host.clone();
        match unanswered {
            Unanswered::NotSent(why) => Error::Unreachable { host, why },
            Unanswered::InDoubt(why) => Error::Interrupted { operation, host, why },
        }
    }
}

/// Adds what says which page is wanted.
pub(crate) fn paged(mut call: Call, page: PageRequest) -> Call {
    if let Some(limit) = page.limit {
        call = call.query("limit", &limit);
    }
    if let Some(token) = page.token {
        call = call.query("pageToken", &token);
    }
    call
}

fn failed(operation: &'static str, answer: &Answer) -> Error {
    let error = ApiError::new(
        operation,
        answer.status,
        &answer.body,
        answer.limit,
        answer.retry_after,
    );
    Error::Api(Box::new(error))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base.as_str())
            .field("credential", &self.inner.credential)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str) -> Result<String, BuildError> {
        let key = Credential::api_key("ACMA:x").expect("a key");
        let client = Client::builder(base, key).build()?;
        Ok(client.url(&["businesses", "1", "chat"]).to_string())
    }

    #[test]
    fn base_urls_come_with_and_without_the_version() {
        for base in [
            "https://api.example",
            "https://api.example/",
            "https://api.example/v2",
            " https://api.example/v2/ ",
        ] {
            assert_eq!(
                url(base).expect("a client"),
                "https://api.example/v2/businesses/1/chat",
                "{base}"
            );
        }
        assert_eq!(
            url("http://[::1]:8080/shop/v2").expect("a client"),
            "http://[::1]:8080/shop/v2/businesses/1/chat"
        );
        for base in [
            "",
            "api.example",
            "ftp://api.example",
            "https://a.example/?x=1",
            "https://me@a.example",
            "/v2",
        ] {
            assert_eq!(url(base), Err(BuildError::BaseUrl(base.to_owned())));
        }
    }
}
