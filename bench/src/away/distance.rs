//! A network between a function and a server: what either of them sends arrives a millisecond later.
//!
//! Threads that sleep, because the timers of the asynchronous runtime are only exact to a millisecond.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// One way.
const DELAY: Duration = Duration::from_millis(1);

/// What the functions sent and received.
pub(crate) type Traffic = Arc<Mutex<Vec<Flight>>>;

/// Bytes at the function's end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) at: Instant,
    pub(crate) server: &'static str,
    /// The connections are told apart by their order over all servers.
    pub(crate) connection: usize,
    pub(crate) is_answer: bool,
}

/// Opens a port that leads to `upstream` over the network; returns its number.
pub(crate) fn before(server: &'static str, upstream: SocketAddr, traffic: Traffic) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that has gone away needs no connection.
            let _ = connect(client, server, upstream, &traffic);
        }
    });
    Ok(port)
}

fn connect(client: TcpStream, name: &'static str, upstream: SocketAddr, traffic: &Traffic) -> io::Result<()> {
    let opened = Instant::now();
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // The loopback has connected at once: the client's first bytes make up for the round trip.
    let connected = opened + 2 * DELAY;
    let connection = {
        let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = traffic.iter().map(|flight| flight.connection + 1).max().unwrap_or_default();
        traffic.push(Flight { at: opened, server: name, connection, is_answer: false });
        connection
    };
    let note = |is_answer: bool, traffic: &Traffic| {
        let traffic = Arc::clone(traffic);
        move |at| {
            let flight = Flight { at, server: name, connection, is_answer };
            traffic.lock().unwrap_or_else(PoisonError::into_inner).push(flight);
        }
    };
    let (sent, answered) = (note(false, traffic), note(true, traffic));
    let (from_client, to_client) = (client.try_clone()?, client);
    let (from_server, to_server) = (server.try_clone()?, server);
    carry(from_client, to_server, connected, sent, |_| {});
    carry(from_server, to_client, connected, |_| {}, answered);
    Ok(())
}

/// Carries bytes in threads of their own. `taken` and `delivered` are told when.
fn carry(
    mut from: TcpStream,
    mut to: TcpStream,
    connected: Instant,
    taken: impl Fn(Instant) + Send + 'static,
    delivered: impl Fn(Instant) + Send + 'static,
) {
    let (sender, under_way) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, bytes) in under_way {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            delivered(Instant::now());
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let at = Instant::now().max(connected);
            taken(at);
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.send((at + DELAY, bytes)).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_takes_its_time_and_connecting_takes_a_round_trip() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = server.local_addr().unwrap();
        thread::spawn(move || {
            let (mut client, _) = server.accept().unwrap();
            let mut byte = [0];
            while client.read_exact(&mut byte).is_ok() {
                client.write_all(&byte).unwrap();
            }
        });
        let traffic = Traffic::default();
        let port = before("echo", address, Arc::clone(&traffic)).unwrap();
        let begun = Instant::now();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut echo = || {
            let mut byte = [7];
            client.write_all(&byte).unwrap();
            client.read_exact(&mut byte).unwrap();
        };
        echo();
        assert!(begun.elapsed() >= 4 * DELAY, "{:?}", begun.elapsed());
        let second = Instant::now();
        echo();
        assert!(second.elapsed() >= 2 * DELAY, "{:?}", second.elapsed());
        let kinds: Vec<bool> = traffic.lock().unwrap().iter().map(|flight| flight.is_answer).collect();
        assert_eq!(kinds, [false, false, true, false, true], "the connection and two round trips");
    }
}
