/** Pages that stand before a system and answer in its place. Each holds what must not be quoted: a person, a session. */
const html = (title: string, body: string): string =>
  `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>${title}</title></head><body>\n${body}\n</body></html>\n`;

const PERSON = 'Jean Dupont';
const SESSION = 'SID-8c1f4e';

export const PAGES = {
  /** SAP NetWeaver, where the service of ICF has the logon procedure of a person's browser. */
  'sap-logon': html(
    'SAP NetWeaver - Logon',
    `<form id="loginForm" name="loginForm" method="post" action="/sap/opu/odata?SAP-SESSION=${SESSION}">
<input type="hidden" name="sap-system-login-oninputprocessing" value="onLogin">
<label>User</label><input type="text" name="sap-user" value="${PERSON}">
<label>Password</label><input type="password" name="sap-password" value=""></form>`,
  ),
  /** The form by which a service provider sends a browser to its identity provider. */
  'saml-logon': html(
    `Single sign-on for ${PERSON}`,
    `<form method="post" action="https://idp.example.com/saml2/sso"><input type="hidden" name="SAMLRequest" value="${SESSION}"></form>`,
  ),
  maintenance: html(
    '11VMS: scheduled maintenance',
    `<h1>We will be back soon</h1><p>Questions: ${PERSON}, +33 1 23 45 67 89</p>`,
  ),
  /** In the words of a web application firewall. */
  blocked: html(
    'Request Rejected',
    `The requested URL was rejected. Please consult with ${PERSON}.<br>Your support ID is: ${SESSION}`,
  ),
  /** An API gateway's own error, about which nothing is known. */
  'unknown-page': html(`Bad Gateway for ${PERSON}`, `<hr><center>${SESSION}</center>`),
} as const;
export type PageName = keyof typeof PAGES;

export const isPageName = (name: string): name is PageName => Object.hasOwn(PAGES, name);

/** None of these may stand in a log, an error or the ledger. */
export const UNQUOTABLE = [PERSON, SESSION, 'Request Rejected', 'NetWeaver'];

/** The names of the address to which a logon by redirect leads; its query holds a session. */
export const LOGON_REDIRECT = {
  host: 'login.example.com',
  location: `https://login.example.com/oauth2/v2.0/authorize?client_id=x&state=${SESSION}&login_hint=${encodeURIComponent(PERSON)}`,
} as const;
