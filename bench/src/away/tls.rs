//! TLS in front of the servers, with certificates that the functions trust without a setting.

use std::{fs, io, net::Ipv4Addr, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, DnValue, IsCa, KeyPair,
    PublicKeyData,
};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::Result;

/// A public authority whose keys are as long as the bench's own. It signs certificates of Amazon's services.
const PUBLIC: &str = "Amazon Root CA 3";

/// An authority with the name of a public one.
pub(crate) struct Authority {
    key: Vec<u8>,
    public_key: &'static [u8],
    server: Arc<ServerConfig>,
}

impl Authority {
    /// Makes the authority, and a certificate for `localhost`.
    pub(crate) fn new() -> Result<Self> {
        let mut named = CertificateParams::default();
        named.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        named.distinguished_name = DistinguishedName::new();
        for (part, text) in
            [(DnType::CountryName, "US"), (DnType::OrganizationName, "Amazon"), (DnType::CommonName, PUBLIC)]
        {
            named.distinguished_name.push(part, DnValue::PrintableString(text.try_into()?));
        }
        let issuer = CertifiedIssuer::self_signed(named, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der())?;
        let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)?;
        let known = webpki_roots::TLS_SERVER_ROOTS.iter().find(|root| root.subject.ends_with(PUBLIC.as_bytes()));
        let known = known.ok_or_else(|| format!("{PUBLIC} is trusted no longer"))?.subject_public_key_info.as_ref();
        let key = issuer.key().der_bytes().to_vec();
        let public_key = known.get(known.len() - key.len()..).ok_or("a key of another length")?;
        Ok(Self { key, public_key, server: Arc::new(server) })
    }

    /// Copies a binary with this authority's key in the place of the public one's. All else is as it is deployed, so a
    /// function needs no setting for the bench alone.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let mut bytes = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
        let length = self.key.len();
        let is_known = |bytes: &[u8]| bytes == self.public_key;
        let places: Vec<usize> =
            bytes.windows(length).enumerate().filter(|(_, part)| is_known(part)).map(|(place, _)| place).collect();
        if places.is_empty() {
            return Err(format!("{} does not trust {PUBLIC}", from.display()).into());
        }
        for place in places {
            bytes.get_mut(place..place + length).ok_or("no such place")?.copy_from_slice(&self.key);
        }
        // With its permissions; a running copy of an older run is replaced, not written over.
        let _ = fs::remove_file(to);
        fs::copy(from, to)?;
        Ok(fs::write(to, bytes)?)
    }

    /// What ends TLS for a server.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.server))
    }
}

/// How a client asks for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// It begins with it.
    Never,
    /// By a message of Postgres, which is answered by one letter.
    AsPostgres,
}

/// Starts a server that ends TLS and passes on what is in it; returns its address.
pub(crate) async fn before(upstream: String, asks: Asks, acceptor: TlsAcceptor) -> io::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, upstream.clone(), asks, acceptor.clone()));
        }
    });
    Ok(address)
}

async fn pass(mut client: TcpStream, upstream: String, asks: Asks, acceptor: TlsAcceptor) -> io::Result<()> {
    client.set_nodelay(true)?;
    if asks == Asks::AsPostgres {
        client.read_exact(&mut [0; 8]).await?;
        client.write_all(b"S").await?;
    }
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;

    use super::*;

    #[test]
    fn a_copy_differs_in_the_key_of_the_authority_alone() {
        let authority = Authority::new().unwrap();
        let folder = temp_dir().join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (from, to) = (folder.join("function"), folder.join("copy"));
        fs::write(&from, [b"before", authority.public_key, b"after"].concat()).unwrap();
        authority.copy(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), [b"before", authority.key.as_slice(), b"after"].concat());
        fs::write(&from, "a function that speaks no TLS").unwrap();
        let error = authority.copy(&from, &to).unwrap_err().to_string();
        assert!(error.ends_with("does not trust Amazon Root CA 3"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
