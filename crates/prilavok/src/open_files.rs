//! How many files the process may have open: each connection is one.

/// Raises the limit as far as the system lets us, and warns where that is too little for `connections`.
pub(crate) fn raise_limit(connections: usize) {
    let allowed = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            return;
        }
    };
    if allowed < connections as u64 {
        tracing::warn!(
            open_files = allowed,
            max_connections = connections,
            "the system allows fewer open files than server.max_connections: raise the hard limit (ulimit -Hn, or \
             LimitNOFILE of the service)"
        );
    }
}
