//! The documents of `--json`. `docs/schemas/stele-log` has a file for each.

stele_terminal::schemas! {
    INIT = "stele-log/init@v1";
    ADOPT = "stele-log/adopt@v1";
    CHECK = "stele-log/check@v1";
    DOCTOR = "stele-log/doctor@v1";
    EXPORT = "stele-log/export@v1";
    FSCK = "stele-log/fsck@v1";
    VERIFY_BACKUP = "stele-log/verify-backup@v1";
    STATUS = "stele-log/status@v1";
    POLICY = "stele-log/policy@v1";
    KEY = "stele-log/key@v1";
    FREEZE = "stele-log/freeze@v1";
    COMPLETIONS = "stele-log/completions@v1";
    MAN = "stele-log/man@v1";
    VERSION = "stele-log/version@v1";
    ERROR = "stele-log/error@v1";
}
