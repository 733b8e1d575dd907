import { describe, expect, it } from 'vitest';
import { pictureUrl } from '../src/api/pictures';

describe('the address of a picture', () => {
  it('is that of what is stored', () => {
    expect(pictureUrl('01JQ0000000000000000000000')).toBe('/api/artifacts/01JQ0000000000000000000000');
  });

  it('asks for a width where less is enough', () => {
    expect(pictureUrl('01JQ0000000000000000000000', 320)).toBe(
      '/api/artifacts/01JQ0000000000000000000000?w=320',
    );
  });

  it('leads nowhere else, whatever the id may be', () => {
    expect(pictureUrl('../me?x=', 320)).toBe('/api/artifacts/..%2Fme%3Fx%3D?w=320');
  });
});
