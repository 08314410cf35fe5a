# What systemd-pcrlock does with an NV index, by the TPM software stack that systemd uses: names the index as that stack
# serialises it, then writes a digest with the recovery PIN.
# Usage: pcrlock.py TCTI INDEX PIN DIGEST
import hashlib
import hmac
import sys

from tpm2_pytss import *

tcti, index, pin, digest = sys.argv[1], int(sys.argv[2], 0), sys.argv[3].encode(), bytes.fromhex(sys.argv[4])
tpm = ESAPI(tcti)
nv = tpm.tr_from_tpmpublic(index)
print(tpm.tr_serialize(nv).hex())

value = hashlib.sha256(pin).digest().rstrip(b"\0")
public = TPMT_PUBLIC(
    type=TPM2_ALG.KEYEDHASH,
    nameAlg=TPM2_ALG.SHA256,
    objectAttributes=TPMA_OBJECT.SIGN_ENCRYPT,
    parameters=TPMU_PUBLIC_PARMS(
        keyedHashDetail=TPMS_KEYEDHASH_PARMS(
            scheme=TPMT_KEYEDHASH_SCHEME(
                scheme=TPM2_ALG.HMAC,
                details=TPMU_SCHEME_KEYEDHASH(hmac=TPMS_SCHEME_HASH(hashAlg=TPM2_ALG.SHA256)),
            )
        )
    ),
    unique=TPMU_PUBLIC_ID(keyedHash=hashlib.sha256(bytes(32) + value).digest()),
)
sensitive = TPMT_SENSITIVE(
    sensitiveType=TPM2_ALG.KEYEDHASH,
    seedValue=bytes(32),
    sensitive=TPMU_SENSITIVE_COMPOSITE(bits=value),
)
key = tpm.load_external(TPM2B_PUBLIC(publicArea=public), TPM2B_SENSITIVE(sensitiveArea=sensitive), hierarchy=ESYS_TR.NULL)
session = tpm.start_auth_session(
    tpm_key=ESYS_TR.NONE,
    bind=ESYS_TR.NONE,
    session_type=TPM2_SE.POLICY,
    symmetric=TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL),
    auth_hash=TPM2_ALG.SHA256,
)
nonce = tpm.trsess_get_nonce_tpm(session)
signed = hashlib.sha256(bytes(nonce) + bytes(4)).digest()
signature = TPMT_SIGNATURE(
    sigAlg=TPM2_ALG.HMAC,
    signature=TPMU_SIGNATURE(
        hmac=TPMT_HA(hashAlg=TPM2_ALG.SHA256, digest=TPMU_HA(sha256=hmac.new(value, signed, hashlib.sha256).digest()))
    ),
)
tpm.policy_signed(key, session, nonce, TPM2B_DIGEST(), TPM2B_NONCE(), 0, signature)
tpm.nv_write(nv, TPM2B_MAX_NV_BUFFER(b"\x00\x0b" + digest), 0, auth_handle=nv, session1=session)
tpm.flush_context(session)
tpm.flush_context(key)
