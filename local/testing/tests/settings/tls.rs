//! TLS in front of a server that speaks none, as the packaged programs do.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A port that takes TLS alone and forwards to a server. It ends with the test.
pub(crate) struct Tls {
    pub(crate) port: u16,
    /// Who signed its certificate, which is for `localhost`, in PEM.
    pub(crate) authority: String,
}

impl Tls {
    pub(crate) async fn before_redis(server: u16) -> Self {
        Self::before(server, false).await
    }

    pub(crate) async fn before_postgres(server: u16) -> Self {
        Self::before(server, true).await
    }

    /// A client of Postgres asks in eight plain bytes whether it may begin TLS.
    async fn before(server: u16, is_asked: bool) -> Self {
        let (config, authority) = identity();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if is_asked {
                        client.read_exact(&mut [0; 8]).await?;
                        client.write_all(b"S").await?;
                    }
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { port, authority }
    }
}

/// A certificate for `localhost` with its key, and the authority that signed it.
fn identity() -> (ServerConfig, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (config, authority.pem())
}
