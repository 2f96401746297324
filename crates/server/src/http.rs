//! Listening, connections and the way out: each connection speaks HTTP/1.1 with bounded heads and to clients
//! that read, and a shutdown lets what runs finish. What is no HTTP at all, or has too large a head, is answered
//! in [`crate::head_refusal`]: no request has come for a surface to answer.

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
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use prilavok_wire::Operation;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt;

use crate::app::SharedApp;
use crate::head_refusal::{Answering, Turn, Watched};
use crate::metrics::OperationName;
use crate::overload::{self, Line, Place, Shed};
use crate::recording::CalledWith;
use crate::request_id::{self, RequestId};
use crate::request_log;
use crate::router;
use crate::socket::Socket;
use crate::{buyer, operator, partner, web, web_widget};

/// The most bytes that the head of a request may have.
const MAX_HEAD_BYTES: usize = 64 * 1024;
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

/// The connection ends instead of an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer was lost on purpose")]
struct HungUp;

/// Serves what `served` holds on `listener` until `stop` resolves, then lets requests under way finish within
/// the time that the settings give. Answers whether all of them did.
pub async fn serve(
    served: Arc<ArcSwap<Served>>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> bool {
    let app = Arc::clone(&served.load().app);
    let places = Arc::new(Semaphore::new(app.settings.server.max_connections));
    let line = Line::new(most_waiting(&app));
    let graceful = GracefulShutdown::new();
    let write_timeout = Duration::from_secs(app.settings.server.write_timeout_seconds);
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(app.settings.server.header_timeout_seconds))
        .max_buf_size(MAX_HEAD_BYTES)
        // A client that has ended its side still waits for its answer.
        .half_close(true);
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
        let turn = Turn::default();
        let watched_turn = turn.clone();
        let served = Arc::clone(&served);
        let place_in_line = Place::new(&line);
        let socket = Socket::new(stream, Arc::clone(&place_in_line));
        let peer = socket.peer();
        let service = service_fn(move |mut request: Request<Incoming>| {
            turn.begin();
            let served = served.load_full();
            let turn = turn.clone();
            let is_late = place_in_line.was_late();
            request.extensions_mut().insert(peer.clone());
            async move {
                let response = answer(&served, request, is_late).await;
                // Answers that are ready at the same time leave together: the clients of a burst are woken once.
                tokio::task::yield_now().await;
                if response.extensions().get::<HangUp>().is_some() {
                    return Err(HungUp);
                }
                Ok::<Response<Answering>, HungUp>(response.map(|body| turn.answered_by(body)))
            }
        });
        // A client that leaves unread what was sent to it holds memory here: it is cut off.
        let mut socket = TimeoutWriter::new(socket);
        socket.set_timeout(Some(write_timeout));
        let watched = TokioIo::new(Watched::new(Box::pin(socket), watched_turn));
        let connection = graceful.watch(protocol.serve_connection(watched, service));
        let counted = app.metrics.connection();
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = connection.await;
            drop((place, counted));
        });
    }
    drop(listener);
    let patience = Duration::from_secs(app.settings.server.shutdown_seconds);
    // Streams would go on for ever; what else runs may finish.
    let app = Arc::clone(&served.load().app);
    let ended = async { tokio::join!(app.live.close(), graceful.shutdown()) };
    tokio::time::timeout(patience, ended).await.is_ok()
}

/// Connections that may wait for their turn.
fn most_waiting(app: &SharedApp) -> usize {
    let threads = tokio::runtime::Handle::current().metrics().num_workers();
    app.settings.server.max_waiting.saturating_mul(threads)
}

/// Answers one request: gives it an id, survives a panic, counts and logs. One that came too late is turned away.
async fn answer(served: &Served, mut request: Request<Incoming>, is_late: bool) -> Response<Body> {
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
