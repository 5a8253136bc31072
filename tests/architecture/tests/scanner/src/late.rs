pub struct Late;
