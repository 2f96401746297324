//! Listening, and the way out: a shutdown lets what runs finish. What is spoken on a connection is in
//! [`crate::connection`]; what is no HTTP at all, or has too large a head, is answered in [`crate::head_refusal`]: no
//! request has come for a surface to answer.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use futures_util::FutureExt;
use http::{Request, Response};
use hyper::body::Incoming;
use prilavok_wire::Operation;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::app::SharedApp;
use crate::connection::{Connection, Protocols};
use crate::metrics::OperationName;
use crate::overload::{self, Line, Place, Shed};
use crate::recording::CalledWith;
use crate::request_id::{self, RequestId};
use crate::request_log;
use crate::router;
use crate::tls::Tls;
use crate::{buyer, operator, partner, web, web_widget};

/// The most bytes that the head of a request may have.
pub(crate) const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long to wait when the system has no more sockets for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests: an app and its routes.
#[derive(Clone)]
pub struct Served {
    /// What every request shares.
    pub app: SharedApp,
    /// The routes.
    pub router: Router,
    /// Whether calls of the Partner API need not go through the routes.
    pub straight: bool,
}

impl Served {
    /// An app with all its surfaces.
    #[must_use]
    pub fn new(app: SharedApp) -> Self {
        let router = crate::router::router(Arc::clone(&app));
        Self {
            app,
            router,
            straight: true,
        }
    }

    /// An app that is served from beginning to end.
    #[must_use]
    pub fn always(app: SharedApp) -> Arc<ArcSwap<Self>> {
        Arc::new(ArcSwap::from_pointee(Self::new(app)))
    }
}

/// Left in an answer that the client is not to see: its connection ends without one. So the sandbox loses answers.
#[derive(Debug, Clone, Copy)]
pub struct HangUp;

/// Where connections come in.
pub struct Entrance {
    listener: TcpListener,
    tls: Option<Tls>,
}

impl Entrance {
    /// Connections of `listener`, which speak TLS if there is any.
    #[must_use]
    pub fn new(listener: TcpListener, tls: Option<Tls>) -> Self {
        Self { listener, tls }
    }
}

impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        Self::new(listener, None)
    }
}

/// Serves what `served` holds at `entrance` until `stop` resolves, then lets requests under way finish within
/// the time that the settings give. Answers whether all of them did.
pub async fn serve(
    served: Arc<ArcSwap<Served>>,
    entrance: impl Into<Entrance>,
    stop: impl Future<Output = ()>,
) -> bool {
    let Entrance { listener, tls } = entrance.into();
    let app = Arc::clone(&served.load().app);
    let places = Arc::new(Semaphore::new(app.settings.server.max_connections));
    let line = Line::new(most_waiting(&app));
    let (stopping, stopped) = watch::channel(());
    let protocols = Arc::new(Protocols::new(&app.settings.server));
    let followed = tls.clone();
    let following = tokio::spawn(async move {
        if let Some(tls) = followed {
            tls.follow().await;
        }
    });
    let mut stop = std::pin::pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            Ok(place) = Arc::clone(&places).acquire_owned() => place,
        };
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        // Answers are small: waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let connection = Connection {
            served: Arc::clone(&served),
            protocols: Arc::clone(&protocols),
            place: Place::new(&line),
            stopped: stopped.clone(),
        };
        let counted = app.metrics.connection();
        // Two tasks of their own sizes: a connection without TLS has no room for any.
        match &tls {
            None => tokio::spawn(async move {
                connection.plain(stream).await;
                drop((place, counted));
            }),
            Some(tls) => {
                let acceptor = tls.acceptor();
                tokio::spawn(async move {
                    connection.encrypted(stream, acceptor).await;
                    drop((place, counted));
                })
            }
        };
    }
    drop((listener, stopped));
    following.abort();
    let patience = Duration::from_secs(app.settings.server.shutdown_seconds);
    // Streams would go on for ever; what else runs may finish.
    let app = Arc::clone(&served.load().app);
    let all_closed = async {
        // Fails only where no connection is left that could hear it.
        let _ = stopping.send(());
        stopping.closed().await;
    };
    let ended = async { tokio::join!(app.live.close(), all_closed) };
    tokio::time::timeout(patience, ended).await.is_ok()
}

/// Connections that may wait for their turn.
fn most_waiting(app: &SharedApp) -> usize {
    let threads = tokio::runtime::Handle::current().metrics().num_workers();
    app.settings.server.max_waiting.saturating_mul(threads)
}

/// Answers one request: gives it an id, survives a panic, counts and logs. One that came too late is turned away.
pub(crate) async fn answer(served: &Served, mut request: Request<Incoming>, is_late: bool) -> Response<Body> {
    let app = &served.app;
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let request = request.map(Body::new);
    let answering = async {
        if is_late && !overload::is_always_answered(uri.path()) {
            return turn_away(app, request).await;
        }
        // Nobody else's to answer: the table of routes would only say so.
        if served.straight && router::is_partners(request.method(), request.uri().path()) {
            return partner::partner(State(Arc::clone(app)), request).await;
        }
        let answered = served.router.clone().oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    };
    let answering = AssertUnwindSafe(answering).catch_unwind();
    let mut response = match answering.await {
        Ok(response) => response,
        Err(panic) => partner::panicked(&*panic, Some(&id)),
    };
    response.headers_mut().insert(request_id::HEADER, id.to_header());
    let took = started.elapsed();
    let operation = operation(&response);
    app.metrics.request(operation, response.status(), took);
    let line = request_log::Line {
        method: &method,
        path: uri.path(),
        operation,
        business: response
            .extensions()
            .get::<CalledWith>()
            .map(CalledWith::business),
        status: response.status(),
        took,
        id: &id,
    };
    let shed = response.extensions().get::<Shed>().copied();
    request_log::write(app.settings.log.requests, &line, shed);
    if let Some(shed) = shed {
        app.metrics.shed(shed);
        tokio::time::sleep(overload::HELD_BACK).await;
    }
    response
}

/// Answers in the envelope of the surface, before anything is done for the request.
async fn turn_away(app: &SharedApp, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut response = if operator::is_at(parts.uri.path()) {
        operator::turn_away(&parts)
    } else if buyer::is_at(parts.uri.path()) {
        buyer::turn_away(&parts)
    } else if web_widget::is_at(parts.uri.path()) {
        web_widget::turn_away()
    } else if web::is_at(parts.uri.path()) {
        web::turn_away(&parts)
    } else {
        partner::turn_away(app, &parts)
    };
    response.extensions_mut().insert(Shed::Requests);
    partner::drain(&parts.headers, body).await;
    response
}

/// The operation that a surface left in its answer.
fn operation(response: &Response<Body>) -> &'static str {
    let extensions = response.extensions();
    let of_partner = extensions.get::<Operation>().map(|operation| operation.as_str());
    of_partner
        .or_else(|| extensions.get::<OperationName>().map(|name| name.0))
        .unwrap_or("other")
}
