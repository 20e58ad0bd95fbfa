/**
 * fast-check with one seed, so that a test fails by what was changed and not by chance. `PROPERTY_SEED=random npm test` looks
 * for new counterexamples.
 */
import fc from 'fast-check';

if (process.env['PROPERTY_SEED'] !== 'random') fc.configureGlobal({ seed: 20_261_129 });

export default fc;
