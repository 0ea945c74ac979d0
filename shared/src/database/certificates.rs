//! The certificate authorities of Amazon RDS instances, which are in no default trust store.

/// Amazon's public certificates of all regions; `local/rds_certificates.py` writes them.
const CERTIFICATES: &str = include_str!("rds.pem");

/// The authorities for the RDS instance with this host name, in PEM; `None` for any other host. An RDS Proxy has a
/// publicly trusted certificate. The authorities are parsed for each new connection, so only those of the instance's
/// region are returned.
pub(super) fn authorities(host: &str) -> Option<String> {
    let (instance, region) = host.strip_suffix(".rds.amazonaws.com")?.rsplit_once('.')?;
    if instance.split('.').any(|label| label.starts_with("proxy-")) {
        return None;
    }
    let heading = format!("# {region}: ");
    let mut is_of_region = false;
    let lines = CERTIFICATES.lines().filter(|line| {
        if line.starts_with("# ") {
            is_of_region = line.starts_with(&heading);
        }
        is_of_region
    });
    Some(lines.fold(String::new(), |text, line| text + line + "\n"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rustls::{
        RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    };

    use super::{CERTIFICATES, authorities};

    fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn an_instance_gets_only_the_authorities_of_its_region() {
        let pem = authorities("shop.c9akciq32.ap-south-1.rds.amazonaws.com").unwrap();
        assert_eq!(pem.lines().filter(|line| line.starts_with("# ap-south-1: ")).count(), 3);
        assert_eq!(pem.lines().filter(|line| line.starts_with('#')).count(), 3);
        assert_eq!(certificates(&pem).len(), 3);
    }

    #[test]
    fn a_host_that_is_no_rds_instance_gets_no_authorities() {
        for host in [
            "localhost",
            "shop.proxy-c9akciq32.ap-south-1.rds.amazonaws.com",
            "rds.amazonaws.com",
            "shop.c9akciq32.ap-south-1.rds.amazonaws.com.example.org",
        ] {
            assert_eq!(authorities(host), None, "{host}");
        }
    }

    #[test]
    fn every_certificate_is_a_valid_root_and_every_region_has_three() {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(CERTIFICATES) {
            roots.add(certificate).unwrap();
        }
        let headings = CERTIFICATES.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(": "));
        let regions: BTreeSet<&str> = headings.map(|(region, _)| region).collect();
        assert!(regions.len() >= 27, "{}", regions.len());
        assert_eq!(roots.len(), 3 * regions.len());
    }
}
