import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Empty, useTitle } from '../ui/parts';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <div className="pt-16">
      <Empty
        heading="h1"
        icon={Compass}
        title="There is no such page"
        action={
          <Link to="/live" className="btn btn-primary">
            Go to Live
          </Link>
        }
      >
        The address may be mistyped, or what it showed is gone.
      </Empty>
    </div>
  );
}
