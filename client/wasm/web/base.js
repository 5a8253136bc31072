'use strict';
// What every part of the page needs.

const part = (id) => document.getElementById(id);
