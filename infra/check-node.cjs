/* Preloaded by the npm scripts. It is old JavaScript, so that an old Node can run it, too. */
var needed = parseInt(require('../package.json').engines.node, 10);
if (parseInt(process.versions.node, 10) !== needed) {
  var lines = [
    'This project needs Node ' + needed + ', but ' + process.execPath + ' is Node ' + process.versions.node + '.',
    'On Linux, on Windows and on a Mac with an Intel processor `npm ci` installs the right Node into node_modules:',
    'run it again, without --omit=optional. On any other machine install Node ' + needed + ' with `nvm install`,',
    'or from https://nodejs.org/en/download.',
  ];
  console.error(lines.join('\n'));
  process.exit(1);
}
