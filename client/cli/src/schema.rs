//! The documents of `--json`. `docs/schemas/stele` has a file for each.

stele_terminal::schemas! {
    KEY = "stele/key@v1";
    CLAIM = "stele/claim@v1";
    KEYS_LIST = "stele/keys-list@v1";
    KEYS_CHANGE = "stele/keys-change@v1";
    DRAFT = "stele/draft@v1";
    PUBLISH = "stele/publish@v1";
    ATTACH = "stele/attach@v1";
    PUSH = "stele/push@v1";
    AMEND = "stele/amend@v1";
    STAGE = "stele/stage@v1";
    SUPERSEDE = "stele/supersede@v1";
    WITHDRAW = "stele/withdraw@v1";
    INCIDENT = "stele/incident@v1";
    EVALUATE = "stele/evaluate@v1";
    PROPOSAL = "stele/proposal@v1";
    SUBMIT = "stele/submit@v1";
    VERIFY = "stele/verify@v1";
    RUN = "stele/run@v1";
    SCAN = "stele/scan@v1";
    FETCH = "stele/fetch@v1";
    SHOW = "stele/show@v1";
    HISTORY = "stele/history@v1";
    LINEAGE = "stele/lineage@v1";
    RESOLVE = "stele/resolve@v1";
    DIFF = "stele/diff@v2";
    INSPECT = "stele/inspect@v1";
    EXPORT = "stele/export@v1";
    AUDIT = "stele/audit@v1";
    EVIDENCE_VERIFY = "stele/evidence-verify@v1";
    EVIDENCE_SHOW = "stele/evidence-show@v1";
    OMS_SIGN = "stele/oms-sign@v1";
    OMS_VERIFY = "stele/oms-verify@v1";
    POLICY_CHECK = "stele/policy-check@v1";
    POLICY_LINT = "stele/policy-lint@v1";
    MONITOR = "stele/monitor@v1";
    MONITOR_REPORT = "stele/monitor-report@v1";
    OBSERVE = "stele/observe@v1";
    CONFIG = "stele/config@v1";
    COMPLETIONS = "stele/completions@v1";
    MAN = "stele/man@v1";
    VERSION = "stele/version@v1";
    HELP = "stele/help@v1";
    DRY_RUN = "stele/dry-run@v1";
    ERROR = "stele/error@v1";
}
