//! The documents of `--json`. `docs/schemas/stele-witness` has a file for each.

stele_terminal::schemas! {
    ERROR = "stele-witness/error@v1";
    INIT = "stele-witness/init@v1";
    KEYS_ADD_MLDSA = "stele-witness/keys-add-mldsa@v1";
    LOGS_ADD = "stele-witness/logs-add@v1";
    LOGS_LIST = "stele-witness/logs-list@v1";
    LOGS_PULL = "stele-witness/logs-pull@v1";
    LOGS_DISABLE = "stele-witness/logs-disable@v1";
    LOGS_ENABLE = "stele-witness/logs-enable@v1";
    LOGS_ADOPT = "stele-witness/logs-adopt@v1";
    BASTION_ADD = "stele-witness/bastion-add@v1";
    DOCTOR = "stele-witness/doctor@v1";
    EVIDENCE_LIST = "stele-witness/evidence-list@v1";
    EVIDENCE_EXPORT = "stele-witness/evidence-export@v1";
    MIRROR_INIT = "stele-witness/mirror-init@v1";
    MIRROR_ADD = "stele-witness/mirror-add@v1";
    MIRROR_VERIFY = "stele-witness/mirror-verify@v1";
    MIRROR_ADOPT = "stele-witness/mirror-adopt@v1";
    INDEX_INIT = "stele-witness/index-init@v1";
    INDEX_ADD = "stele-witness/index-add@v1";
    INDEX_ADOPT = "stele-witness/index-adopt@v1";
    ABOUT = "stele-witness/about@v1";
    COMPLETIONS = "stele-witness/completions@v1";
    MAN = "stele-witness/man@v1";
    VERSION = "stele-witness/version@v1";
}
