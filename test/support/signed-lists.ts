/**
 * Lists of checksums with signatures, made with gpg: `gpg --quick-generate-key`, `--detach-sign`, `--clearsign`. The keys
 * that signed are gone.
 */

/** A list as sha256sum writes it. */
export const sums = `c049f36fddbf181ae185cd688e639795e66ae6dcde0249dc2d9a192e5548bab8 *disk.img
d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa  other.img
`;

/** Its signature by the vendor. */
export const sumsSigned = `-----BEGIN PGP SIGNATURE-----

iIkEABYIADEWIQTrxB3GQhZSlj91gh2Y6T4lqNQmBwUCZ3XXABMcb25lQHZlbmRv
ci5leGFtcGxlAAoJEJjpPiWo1CYHDrIBAM62HMxa2ApjMzjkLR1g5gLrsnZdjX7z
Jn3sfGqSDWxAAQCdJSEuaykl/lPzuhk6VmuxzwnYk0ABO3JjW2LmjT4iBA==
=MRDB
-----END PGP SIGNATURE-----
`;

/** Its signature by somebody else. */
export const sumsSignedByOther = `-----BEGIN PGP SIGNATURE-----

iIkEABYIADEWIQS99AlwcOVX5eVg3pE7UkO7uXQpBQUCZ3XXABMcZWxzZUBvdGhl
ci5leGFtcGxlAAoJEDtSQ7u5dCkFoVcA/R8PTBIHF7/5NXZOeePug7v7hfWjpc46
H+EhTFhv4ECKAQDh2stmWup46+MdUnkADuhAH7eB9czlk6y9mTrtjtx+Aw==
=VCgR
-----END PGP SIGNATURE-----
`;

/** Its signature by a key of the vendor that has expired. */
export const sumsSignedByOld = `-----BEGIN PGP SIGNATURE-----

iIkEABYIADEWIQSaFSXyXqtI+I4y+uPUPh8O11U1QAUCXg0ygBMcb2xkQHZlbmRv
ci5leGFtcGxlAAoJENQ+Hw7XVTVAMZoBAJyWnpDV/1cFc+wYMaxQMuFqQ1rp1pKk
p9bkNjqdvS8dAQD6hFZLkIYliBYdxVCVpLVdPJoKJ5HQ72maCq+MFpisCg==
=GqeB
-----END PGP SIGNATURE-----
`;

/** A list in the way of BSD, signed within by the vendor. */
export const checksums = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

# disk.img: 8 bytes
SHA512 (disk.img) = 82d8e5ab7884ef087fe0302d289fa899fea89795e77f587247ae48d630389a09201ca7276349d42badea191c017143740e1af3533abc2e56927d03cc9ae52233
- -- a line that begins with dashes
-----BEGIN PGP SIGNATURE-----

iIkEARYIADEWIQTrxB3GQhZSlj91gh2Y6T4lqNQmBwUCZ3XXABMcb25lQHZlbmRv
ci5leGFtcGxlAAoJEJjpPiWo1CYHRGcBAMXmpqQcgv6Fcf47EYMhLaOxyU+/CVJn
ek5HQseCPFVZAP4rb2xBvzQ8Qg8SoG4ZXfZXSqKJ7X2pBOg+jPfTeRn8Dw==
=44fM
-----END PGP SIGNATURE-----
`;

/** The same by somebody else. */
export const checksumsByOther = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

# disk.img: 8 bytes
SHA512 (disk.img) = 82d8e5ab7884ef087fe0302d289fa899fea89795e77f587247ae48d630389a09201ca7276349d42badea191c017143740e1af3533abc2e56927d03cc9ae52233
- -- a line that begins with dashes
-----BEGIN PGP SIGNATURE-----

iIkEARYIADEWIQS99AlwcOVX5eVg3pE7UkO7uXQpBQUCZ3XXABMcZWxzZUBvdGhl
ci5leGFtcGxlAAoJEDtSQ7u5dCkFpJQBAOR2MSR5UNc6C43ioHPy1q9+/a8M78Xg
X2WDnJxzOiErAP0RWKkJGzgD2N2somUQC9F3RNq6nnREHQmhMTXHXtwKDQ==
=NGIe
-----END PGP SIGNATURE-----
`;

/** The vendor's keys, two blocks. */
export const vendorKeys = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZ3SFgBYJKwYBBAHaRw8BAQdAHen0Vy20j05DE4gheMivYGSVLZ0UDHtuemRX
6XKJCEa0H1ZlbmRvciBPbmUgPG9uZUB2ZW5kb3IuZXhhbXBsZT6IkAQTFggAOBYh
BOvEHcZCFlKWP3WCHZjpPiWo1CYHBQJndIWAAhsDBQsJCAcCBhUKCQgLAgQWAgMB
Ah4BAheAAAoJEJjpPiWo1CYHnxUA/3fKMWmDYIqnH0OhRTGfObqOCPGEd73v8bmi
/Ww9411jAQDw6fsTqeseEvya3Qih+rN+aEN1hz293Xaqt3WtojsoCQ==
=4Dlm
-----END PGP PUBLIC KEY BLOCK-----
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEXgvhABYJKwYBBAHaRw8BAQdAaY3nKasVCqwimzFmPAnfPa6VdllN6TlGIWRZ
/zPlh/i0H1ZlbmRvciBPbGQgPG9sZEB2ZW5kb3IuZXhhbXBsZT6IlgQTFggAPhYh
BJoVJfJeq0j4jjL649Q+Hw7XVTVABQJeC+EAAhsDBQkAyGQABQsJCAcCBhUKCQgL
AgQWAgMBAh4BAheAAAoJENQ+Hw7XVTVAsd4A/3SnF8Y5J/jpje9tS4BFOnrHJHj3
Q7zMl/T/IMZeMQ27AP4o9XHy/R+ptDhhVcctQ85rZXtIy3w/jv2LrtLQj6gVAQ==
=rc/a
-----END PGP PUBLIC KEY BLOCK-----
`;

/** The same in binary. */
export const vendorKeyring = Buffer.from(
  'mDMEZ3SFgBYJKwYBBAHaRw8BAQdAHen0Vy20j05DE4gheMivYGSVLZ0UDHtuemRX6XKJCEa0H1ZlbmRvciBPbmUgPG9uZUB2ZW5kb3IuZXhhbXBsZT6IkAQTFggAOBYhBOvEHcZCFlKWP3WCHZjpPiWo1CYHBQJndIWAAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEJjpPiWo1CYHnxUA/3fKMWmDYIqnH0OhRTGfObqOCPGEd73v8bmi/Ww9411jAQDw6fsTqeseEvya3Qih+rN+aEN1hz293Xaqt3WtojsoCZgzBF4L4QAWCSsGAQQB2kcPAQEHQGmN5ymrFQqsIpsxZjwJ3z2ulXZZTek5RiFkWf8z5Yf4tB9WZW5kb3IgT2xkIDxvbGRAdmVuZG9yLmV4YW1wbGU+iJYEExYIAD4WIQSaFSXyXqtI+I4y+uPUPh8O11U1QAUCXgvhAAIbAwUJAMhkAAULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDUPh8O11U1QLHeAP90pxfGOSf46Y3vbUuARTp6xyR490O8zJf0/yDGXjENuwD+KPVx8v0fqbQ4YVXHLUPOa2V7SMt8P479i67S0I+oFQE=',
  'base64',
);
